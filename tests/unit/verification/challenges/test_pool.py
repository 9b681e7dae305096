import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

import msgspec
import pytest

from engine.errors import ConfigurationError
from engine.ids import NodeId
from engine.resources import resource_path
from engine.verification.challenges.duties import Basis, is_drawn_privately, is_drawn_publicly, publicly_drawn
from engine.verification.challenges.opening import encoded_challenge
from engine.verification.challenges.plan import (
    LAST_BEGIN,
    MOST_TOKENS,
    Candidate,
    duties_of,
    plan_epoch,
)
from engine.verification.challenges.pool import Pool, read_pool
from engine.verification.reputation.rule import unjudged
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import challenge_decoder
from tests.support.records import identity, seeded

MANNERS = """
openings = [""]
endings = [""]
follow_ups = ["Why?"]
plain_follow_ups = [" And {word}"]
systems = ["Be {word}."]
system_percent = 50
turns_percent = [50, 50]
may_forward_percent = 50
settings = [[1, 0.7, 0.95, 0, 0.0, 1.0, 100, 0], [1, 1, 1, 0, 0, 1, 1000000, 0]]
plain_settings = [[1, 1.2, 1, 0, 0, 1, 200, 150]]
"""
WORDS = 'word = ["kind", "{other}"]\nother = ["brief"]'
QUESTIONS = '[some]\nweight = 1\ntexts = ["What is {word} {1-3}?"]'


def shipped() -> Pool:
    folder: Path = resource_path("engine/challenges")
    questions, words, manners = (
        (folder / f"{name}.toml").read_text("utf-8") for name in ("questions", "words", "manners")
    )
    return read_pool([questions], words, manners)


def test_a_node_cannot_list_what_may_be_asked() -> None:
    pool = shipped()
    assert sum(len(kind.texts) for kind in pool.kinds.values()) > 200
    assert len(pool.kinds) >= 12
    assert pool.variations() > 10**12
    random_bytes = seeded(1)
    questions = Counter(pool.draw(random_bytes).texts[0] for _ in range(3_000))
    assert len(questions) > 2_850, "two verifiers hardly ever ask the same"
    assert questions.most_common(1)[0][1] <= 8


def test_conversations_are_of_many_shapes_and_complete() -> None:
    pool, random_bytes = shipped(), seeded(2)
    drawn = [pool.draw(random_bytes) for _ in range(2_000)]
    texts = [text for one in drawn for text in (*one.texts, one.system)]
    assert not [text for text in texts if re.search(r"[{}]", text)], "no place is left open"
    assert all(len(text) < 2_000 for text in texts)
    assert all(one.texts[0] for one in drawn)
    chats = [one for one in drawn if not one.plain]
    assert 0.4 < len(chats) / 2_000 < 0.6
    assert 0.3 < sum(bool(one.system) for one in chats) / len(chats) < 0.45
    assert 0.25 < sum(len(one.texts) > 1 for one in chats) / len(chats) < 0.45
    assert max(len(one.texts) for one in drawn) >= 4
    assert len({one.sampling for one in drawn}) >= 10
    assert {one.max_tokens for one in chats} >= {256, 512, 1_000_000}
    assert 0.8 < sum(one.may_forward for one in drawn) / 2_000 < 0.9
    assert all(one.sampling.seed == 0 for one in drawn)
    assert not [text for text in texts if re.search(r"\ba [aio]", text)]


def test_a_text_to_go_on_with_has_no_system_prompt_and_settings_of_its_own() -> None:
    pool, random_bytes = shipped(), seeded(3)
    drawn = [one for one in (pool.draw(random_bytes) for _ in range(300)) if one.plain]
    assert all(one.system == "" for one in drawn)
    assert 0.25 < sum(len(one.texts) > 1 for one in drawn) / len(drawn) < 0.5
    assert sum(one.min_tokens >= 80 for one in drawn) > len(drawn) / 2
    assert all(one.min_tokens <= one.max_tokens <= 1_000 for one in drawn)
    own = read_pool(['[mine]\nweight = 1\nplain = true\ntexts = ["It was {word}"]'], WORDS, MANNERS).draw(seeded(1))
    assert own.plain
    assert own.texts[0] in ("It was kind", "It was brief")
    assert set(own.texts[1:]) <= {" And kind", " And brief"}
    assert (own.sampling.temperature, own.min_tokens, own.max_tokens) == (1.2, 150, 200)
    plan = plan_epoch(
        read_pool(['[mine]\nweight = 1\nplain = true\ntexts = ["x"]'], WORDS, MANNERS),
        7,
        MEMBERS[0],
        CANDIDATES,
        {},
        6.0,
        seeded(4),
    )
    assert plan is not None
    assert {(one.challenge.plain, one.challenge.min_tokens) for one in plan.planned.values()} == {(True, 150)}


def test_the_same_bytes_give_the_same_conversation() -> None:
    pool = shipped()
    assert [pool.draw(seeded(5)) for _ in range(3)] == [pool.draw(seeded(5))] * 3
    assert pool.draw(seeded(5)) != pool.draw(seeded(6))


def test_own_questions_are_added() -> None:
    pool = read_pool([QUESTIONS, '[some]\nweight = 3\ntexts = ["Mine: {word}"]'], WORDS, MANNERS)
    assert len(pool.kinds) == 2
    assert pool.variations() == 2 * 3 + 2
    random_bytes = seeded(3)
    asked = [pool.draw(random_bytes).texts[0].lower() for _ in range(400)]
    assert 240 < sum(text.startswith("mine") for text in asked) < 360


@pytest.mark.parametrize(
    ("questions", "words", "manners", "said"),
    [
        ("[", WORDS, MANNERS, r"questions \(1\) of challenges cannot be read"),
        ("[some]\nweight = 1", WORDS, MANNERS, "missing required field `texts`"),
        ("[some]\nweight = 1\ntexts = []", WORDS, MANNERS, "length >= 1"),
        ("[some]\nweight = 1\ntexts = ['{unknown}']", WORDS, MANNERS, "'unknown', of which there are no words"),
        ("[some]\nweight = 1\ntexts = ['{9-3}']", WORDS, MANNERS, "empty range of numbers: 9-3"),
        (QUESTIONS, 'word = ["{word}"]', MANNERS, "without an end"),
        (QUESTIONS, WORDS, MANNERS.replace("[50, 50]", "[0, 0]"), "No conversation"),
        (QUESTIONS, WORDS, MANNERS.replace("0.95", "1.95"), "manners of challenges cannot be read"),
        (QUESTIONS, WORDS, MANNERS.replace("200, 150", "200, 201"), "more tokens at least than at most"),
        ("", WORDS, MANNERS, "no questions"),
    ],
)
def test_what_is_wrong_with_a_pool_is_said(questions: str, words: str, manners: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_pool([questions], words, manners)


CANDIDATES = [Candidate(identity(number).node_id, "m", b"d" * 32) for number in range(60)]
MEMBERS = tuple(identity(500 + number).public_key for number in range(4))


def test_a_plan_has_one_challenge_for_each_node_at_ordinary_times() -> None:
    plan = plan_epoch(shipped(), 7, MEMBERS[0], [*CANDIDATES, CANDIDATES[0]], {}, 600.0, seeded(4))
    assert plan is not None
    assert set(plan.planned) == {one.node_id for one in CANDIDATES}
    assert len(plan.committed.challenges) == 60
    for node, planned in plan.planned.items():
        challenge = challenge_decoder.decode(plan.committed.challenges[planned.index])
        assert challenge == planned.challenge
        assert (challenge.node, challenge.epoch) == (node, 7)
        assert 0 <= planned.begin < LAST_BEGIN * 600
        assert len(planned.pauses) == len(challenge.turns) - 1
        assert all(4 <= pause <= 44 for pause in planned.pauses)
        assert all(40 <= turn.read <= MOST_TOKENS for turn in planned.challenge.turns)
        assert len(encoded_challenge(challenge)) <= 20_000
    seeds = [turn.seed for one in plan.planned.values() for turn in one.challenge.turns]
    assert len(set(seeds)) == len(seeds)
    short = plan_epoch(shipped(), 7, MEMBERS[0], CANDIDATES, {}, 6.0, seeded(4))
    assert short is not None
    assert all(pause <= 0.44 for one in short.planned.values() for pause in one.pauses)


def test_without_nodes_there_is_nothing_to_plan() -> None:
    assert plan_epoch(shipped(), 7, MEMBERS[0], [], {}, 600.0, seeded(4)) is None


def test_everybody_asks_whom_it_has_to_in_the_order_of_time() -> None:
    basis = Basis(members=MEMBERS, output=b"o" * 64, standings={}, commitments={})
    asked: Counter[bytes] = Counter()
    for member in MEMBERS:
        plan = plan_epoch(shipped(), 1, member, CANDIDATES, {}, 600.0, seeded(8))
        assert plan is not None
        due = duties_of(plan, basis, member, b"y" * 64)
        assert [one.begin for one in due] == sorted(one.begin for one in due)
        assert {one.challenge.node for one in due} == {
            one.node_id for one in CANDIDATES if member in publicly_drawn(basis, one.node_id)
        }
        asked.update(one.challenge.node for one in due)
        without = duties_of(plan, basis, member, b"y" * 64, without=[CANDIDATES[0].node_id])
        assert CANDIDATES[0].node_id not in {one.challenge.node for one in without}
    assert set(asked.values()) == {4}


def test_two_of_three_conversations_with_who_is_checked_in_every_epoch_have_a_second_question() -> None:
    newcomers = [Candidate(NodeId(bytes([number]) * 20), "m", b"d" * 32) for number in range(120)]
    known = msgspec.structs.replace(unjudged(newcomers[0].node_id, 900_000), good=20)
    established = {one.node_id: msgspec.structs.replace(known, node_id=one.node_id) for one in newcomers}
    counts = {}
    nobody: Mapping[NodeId, NodeStanding] = {}
    for name, standings in (("new", nobody), ("established", established)):
        plan = plan_epoch(shipped(), 1, MEMBERS[0], newcomers, standings, 600.0, seeded(8))
        assert plan is not None
        counts[name] = [len(one.challenge.turns) for one in plan.planned.values()]
    new = Counter(counts["new"])
    assert set(new) == {1, 2}
    assert 65 <= new[2] <= 95
    assert set(counts["established"]) > {1, 2}


def test_a_model_that_is_certain_in_conversations_is_asked_for_texts() -> None:
    counts = {}
    for percent in (0, 80, 100):
        asked = [Candidate(NodeId(bytes([n]) * 20), "m", b"d" * 32, percent) for n in range(200)]
        plan = plan_epoch(shipped(), 1, b"v" * 32, asked, {}, 600.0, seeded(8))
        assert plan is not None
        counts[percent] = sum(one.challenge.plain for one in plan.planned.values())
    assert 75 <= counts[0] <= 125
    assert 145 <= counts[80] <= 175
    assert counts[100] == 200


def test_suspicion_and_lapses_bring_checks() -> None:
    good = msgspec.structs.replace(unjudged(CANDIDATES[0].node_id, 900_000), good=10)
    change = msgspec.structs.replace
    assert not is_drawn_publicly(good)
    assert is_drawn_publicly(change(good, suspicion=1))
    assert is_drawn_publicly(change(good, good=9))
    assert is_drawn_publicly(change(good, good=19, lapses=3_000))
    assert not is_drawn_publicly(change(good, good=20, lapses=3_000))
    standings = {CANDIDATES[0].node_id: change(good, excluded=True)}
    basis = Basis(members=MEMBERS, output=b"o" * 64, standings=standings, commitments={})
    assert len(publicly_drawn(basis, CANDIDATES[0].node_id)) == 2
    assert len(publicly_drawn(basis, CANDIDATES[1].node_id)) == 4
    dice = Random(1)
    rates = [
        sum(is_drawn_privately(basis, standing, dice.randbytes(64)) for _ in range(8_000)) * len(MEMBERS) / 8_000
        for standing in (change(good, good=500), change(good, good=500, lapses=100))
    ]
    assert rates == pytest.approx([0.02, 0.1], rel=0.4)
