"""Who has which evidence in the committee's simulation: the books and rules are those of real members."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec

from engine.simulation.committee.blocks import HEIGHT, Content, identity_of, make_block
from engine.simulation.committee.evidence import (
    EPOCH_SECONDS,
    LEAVES_OUT,
    NODES,
    WAYS,
    Exhibits,
    Rules,
    is_broken_off,
    result_of,
    state_of,
)
from engine.simulation.committee.promised import Watch, commitment_of
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.committee.committee import Committee
from engine.verification.signing import digest_of, is_commitment
from engine.wire.blocks import Block, Unjudged, block_decoder

SIDES = (frozenset({0, 1}), frozenset({2, 3}))
COMMITTEE = Committee(b"\7" * 32, tuple(identity_of(index).public_key for index in range(4)), bytes(64))


def exhibits(seed: int = 1, rogue: frozenset[int] = frozenset(), **changes: bool) -> Exhibits:
    return Exhibits(Random(seed), 4, rogue, SIDES, 30.0, Rules(**changes))


def block_of(unjudged: tuple[Unjudged, ...] = (), **content: Any) -> Block:
    return block_decoder.decode(make_block(COMMITTEE, 0, 0, 1, Content(unjudged, **content)))


def test_a_leader_names_what_it_has_and_later_its_own_alone() -> None:
    shown, careless = exhibits(), exhibits(own_alone=False)
    for author in range(3):
        for one in (shown, careless):
            one.take(0, result_of(4, author, 2, 0), 0.0)
    assert [one.author for one in shown.choose(0, 1).unjudged] == [0, 1, 2]
    assert [one.author for one in shown.choose(0, 2).unjudged] == [0]
    assert [one.author for one in careless.choose(0, 2).unjudged] == [0, 1, 2]


def test_a_block_is_refused_by_who_lacks_its_evidence() -> None:
    shown = exhibits(rogue=frozenset({3}))
    shown.take(0, result_of(4, 3, 1, 0), 0.0)
    shown.take(1, result_of(4, 3, 1, 1), 0.0)
    shown.take(1, result_of(4, 3, 1, 2), 0.0)
    shown.take(1, result_of(4, 3, 1, 0), 0.0)  # of one turn a book keeps the first two
    block = block_of(shown.choose(0, 0).unjudged)
    assert shown.refusal(0, block, 0.0) is None
    assert all("is not here" in (shown.refusal(member, block, 0.0) or "") for member in (1, 2))
    assert [shown.is_lacked(member, block) for member in range(4)] == [False, True, True, True]
    assert not shown.unseen(block)
    shown.forget(0)
    assert shown.is_lacked(0, block)


def test_what_only_liars_have_is_seen_by_nobody() -> None:
    shown = exhibits(rogue=frozenset({3}))
    shown.take(3, result_of(4, 3, 1, 0), 0.0)
    assert shown.unseen(block_of(shown.choose(3, 0).unjudged))


def test_liars_show_their_results_in_every_way_and_honest_members_to_all() -> None:
    ways: Counter[str] = Counter()
    for seed in range(200):
        shown = exhibits(seed, frozenset({3}))
        for one in shown.showings():
            if one.author != 3:
                assert one.to is None
                assert one.again
                assert one.at <= 30.0
            else:
                late = "late" if one.at > 30.0 else "soon"
                ways[late if one.to is None else str(sorted(one.to))] += 1
    assert {"late", "soon", "[]", "[0]", "[0, 1]", "[2, 3]"} <= set(ways)
    assert len(WAYS) == 8


def test_all_members_of_four_check_every_node() -> None:
    state = state_of(4)
    assert all(len(publicly_drawn(state.epochs[HEIGHT].basis, node)) == 4 for node in NODES)
    versions = {digest_of(result_of(4, 0, 0, version)) for version in (0, 1)}
    assert len(versions) == 2


def test_a_liar_names_its_own_results_and_others_of_the_schedule() -> None:
    found = [one for seed in range(40) for one in exhibits(seed, frozenset({3})).invent(3).unjudged]
    assert {one.author for one in found} == {0, 1, 2, 3}
    assert {one.asked for one in found} <= set(NODES)


def test_half_of_the_results_are_of_conversations_that_broke_off_and_a_block_says_which() -> None:
    shown, careless = exhibits(), exhibits(reads=False)
    for one in (shown, careless):
        for author in range(4):
            one.take(0, result_of(4, author, 2, 0), 0.0)
    chosen = shown.choose(0, 0).unjudged
    assert [one.broken for one in chosen] == [False, True, False, True]
    assert not shown.is_misread(block_of(chosen))
    wrong = block_of((*chosen[:3], msgspec.structs.replace(chosen[3], broken=False)))
    assert "broken off" in (shown.refusal(0, wrong, 0.0) or "")
    assert shown.is_misread(wrong)
    assert careless.refusal(0, wrong, 0.0) is None
    assert careless.refusal(1, wrong, 0.0) is not None


def test_a_liar_shows_a_break_off_to_some_and_none_to_others_and_names_some_wrongly() -> None:
    assert is_broken_off(0, 0, 1)
    assert not is_broken_off(0, 0, 0)
    right = {
        digest_of(result_of(4, of, node, version)): is_broken_off(of, node, version)
        for of in range(4)
        for node in range(len(NODES))
        for version in (0, 1)
    }
    named = [one for seed in range(200) for one in exhibits(seed, frozenset({3})).invent(3).unjudged]
    wrong = sum(right[one.record] != one.broken for one in named)
    assert 0.15 < wrong / len(named) < 0.35


# ------------------------------------------------------------------------------------------- what members have promised


def test_a_block_that_leaves_out_what_a_member_has_held_is_refused_in_the_first_rounds() -> None:
    shown, careless = exhibits(), exhibits(counts=False)
    for one in (shown, careless):
        assert one.take(0, commitment_of(2, 0), 10.0), "it is passed on"
        assert not one.take(0, commitment_of(2, 1), 11.0), "the first of two is kept"
    block = block_of()
    long_ago = 10.0 + EPOCH_SECONDS / 10
    assert shown.refusal(0, block, long_ago - 0.1) is None, "its leader may not have it yet"
    assert shown.refusal(0, block, long_ago) == LEAVES_OUT
    assert careless.refusal(0, block, long_ago) is None
    assert shown.refusal(1, block, long_ago) is None, "who has not got it wants nothing"
    assert shown.refusal(0, msgspec.structs.replace(block, round=3), long_ago) == LEAVES_OUT
    assert shown.refusal(0, msgspec.structs.replace(block, round=4), long_ago) is None
    assert exhibits(is_bound=False).refusal(0, msgspec.structs.replace(block, round=4), long_ago) is None
    assert shown.refusal(0, block_of(commitments=(commitment_of(2, 1),)), long_ago) is None, "either of two will do"
    assert shown.told_to_leaders(0, block) == [commitment_of(2, 0)]
    assert not exhibits(rogue=frozenset({0})).take(0, commitment_of(2, 0), 0.0), "a liar passes nothing on"


def test_a_member_that_begins_anew_counts_from_then_on_what_it_holds() -> None:
    shown = exhibits()
    shown.take(0, commitment_of(2, 0), 0.0)
    assert shown.refusal(0, block_of(), 5.0) == LEAVES_OUT
    shown.restart(0, 5.0)
    assert shown.refusal(0, block_of(), 8.9) is None
    assert shown.refusal(0, block_of(), 9.0) == LEAVES_OUT
    shown.forget(0)
    assert shown.refusal(0, block_of(), 99.0) is None


def test_a_leader_takes_in_what_it_has_and_one_that_leaves_it_out_does_not() -> None:
    shown = exhibits()
    for author in range(4):
        shown.take(0, commitment_of(author, 0), 0.0)
    assert len(shown.choose(0, 0).commitments) == 4
    lengths = {len(shown.choose(0, 0, is_omitting=True).commitments) for _ in range(60)}
    assert {0, 1, 2, 3} <= lengths


def test_what_is_left_out_is_seen_where_a_quorum_must_have_overlooked_it() -> None:
    watch = Watch(4, frozenset({0, 1, 2}), EPOCH_SECONDS)
    author = identity_of(1).public_key
    watch.takes(0, author, 0.0)
    assert watch.lacks(block_of())
    assert not watch.lacks(block_of(commitments=(commitment_of(1, 0),)))
    assert not watch.is_left_out(block_of(), 9.0), "the two others and the liar are a quorum"
    watch.takes(1, author, 2.0)
    assert not watch.is_left_out(block_of(), 5.9)
    assert watch.is_left_out(block_of(), 6.0)
    assert not watch.is_left_out(msgspec.structs.replace(block_of(), round=4), 6.0)
    assert not watch.is_left_out(block_of(commitments=(commitment_of(1, 5),)), 6.0)
    watch.begins_anew(1)
    assert not watch.is_left_out(block_of(), 9.0)


def test_in_half_of_the_schedules_all_have_promised_long_ago() -> None:
    def is_calm(seed: int) -> bool:
        shown = exhibits(seed)
        promised = [one for one in shown.showings() if is_commitment(one.record)]
        assert len(promised) in (0, 4)
        return len(shown.choose(0, 0).commitments) == 4

    assert 30 < sum(is_calm(seed) for seed in range(100)) < 70
