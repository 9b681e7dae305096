"""Who scores: by lot among nodes of standing that serve the model, strangers to each other and to whom they judge."""

import random
from collections import Counter
from dataclasses import replace

import msgspec
import pytest

from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.challenges.duties import Basis
from engine.verification.large_models.draw import check_draw, drawn, established, serving_now, unrelated
from engine.verification.reputation.page import OURS
from engine.wire.blocks import NodeStanding
from tests.support.records import directory_of, identity

MODEL, OTHER = b"m" * 32, b"o" * 32
NODES = [identity(number).node_id for number in range(40)]
ASKED = NODES[0]


def standing(node: NodeId, reputation: int = 900_000, *, excluded: bool = False) -> NodeStanding:
    return msgspec.structs.replace(OURS.newcomer(node), reputation=reputation, excluded=excluded)


def basis(count: int = 30) -> Basis:
    known = NODES[:count]
    return Basis(
        members=(b"k" * 32,),
        output=b"o" * 64,
        standings={node: standing(node) for node in known},
        commitments={},
        serving=dict.fromkeys(known, MODEL),
    )


def test_nodes_of_standing_that_were_judged_for_this_model_are_drawn() -> None:
    it = basis(6)
    standings = dict(it.standings)
    standings[NODES[1]] = standing(NODES[1], 399_999)
    standings[NODES[2]] = standing(NODES[2], excluded=True)
    it = replace(it, standings=standings, serving={**it.serving, NODES[3]: OTHER})
    assert established(it, MODEL, {ASKED}) == {NODES[4], NODES[5]}
    assert established(it, OTHER, ()) == {NODES[3]}


def test_where_fewer_than_three_have_standing_all_listed_ones_that_are_not_excluded_are_drawn() -> None:
    it = replace(basis(2), standings={NODES[9]: standing(NODES[9], 0, excluded=True)}, serving={})
    order = drawn(it, MODEL, b"y", ASKED, 0, NODES[:12], {ASKED})
    assert len(order) == 9
    assert not {ASKED, NODES[9]} & set(order)


def test_the_draw_is_fair_and_another_for_each_answer() -> None:
    it, dice = basis(20), random.Random(2)
    first: Counter[NodeId] = Counter()
    for _ in range(2_000):
        first.update(drawn(it, MODEL, dice.randbytes(64), ASKED, 0, (), {ASKED})[:3])
    assert set(first) == set(NODES[1:20])
    assert all(0.8 < 19 * count / 6_000 < 1.2 for count in first.values())
    orders = {tuple(drawn(it, MODEL, b"y" * 64, asked, turn, (), {ASKED})) for asked in NODES[:5] for turn in range(4)}
    assert len(orders) == 20


def test_whoever_was_not_drawn_cannot_score() -> None:
    it, output = basis(), b"y" * 64
    without = {ASKED, NODES[5]}
    order = drawn(it, MODEL, output, ASKED, 0, (), without)

    def check(*scorers: NodeId) -> None:
        check_draw(it, MODEL, output, ASKED, 0, scorers, without)

    check(*order[:3])
    check(*order[1::2])
    for wrong, words in (
        (order[2::-1], "order"),
        ((order[0], order[0]), "twice"),
        ((*order[:2], next(node for node in NODES[6:30] if node not in order)), r"order|not drawn"),
    ):
        with pytest.raises(VerificationError, match=words):
            check(*wrong)
    for node in set(NODES[6:]) - set(order):
        with pytest.raises(VerificationError, match=r"order|not drawn"):
            check(*order[:3], node)
    with pytest.raises(VerificationError, match="judged"):
        check_draw(it, MODEL, output, ASKED, 0, [NODES[5]], without)
    young = replace(it, serving={}, standings={NODES[7]: standing(NODES[7], 0, excluded=True)})
    check_draw(young, MODEL, output, ASKED, 0, [NODES[8]], without)
    with pytest.raises(VerificationError, match="excluded"):
        check_draw(young, MODEL, output, ASKED, 0, [NODES[7]], without)


def test_relatives_do_not_score_together_nor_each_other() -> None:
    directory = directory_of(12, prefixes=6, families=4)  # n: prefix n mod 6, family n mod 4
    nodes = [identity(number).node_id for number in range(12)]
    assert unrelated(directory, nodes[1:], [nodes[0]]) == [nodes[1], nodes[2], nodes[3]]
    assert unrelated(directory, [NODES[30], nodes[5]], [nodes[1]]) == [NODES[30]], "who has left has no relatives"
    assert unrelated(directory, nodes, []) == nodes[:4]
    assert serving_now(directory, MODEL) == []
