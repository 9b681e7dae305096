"""Nodes that users doubt: a few may be looked at sooner, by a lot that nobody can push; nobody loses checks by it."""

from __future__ import annotations

import hashlib
from collections import Counter
from types import MappingProxyType

import msgspec
import pytest

from engine.ids import NodeId
from engine.verification.challenges.duties import (
    MAX_SAMPLED,
    SAMPLED_RATE_PARTS,
    Basis,
    has_duty,
    may_check,
)
from engine.verification.challenges.plan import Candidate, EpochPlan, duties_of, encoded_plan, plan_epoch, read_plan
from engine.verification.challenges.pool import read_pool
from engine.verification.reputation.rule import unjudged
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import ChallengeCommitment
from tests.support.records import seeded
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

MEMBERS = tuple(bytes((number,)) * 32 for number in range(1, 5))
POOL = read_pool([QUESTIONS], WORDS, MANNERS)
RATE = 1 / SAMPLED_RATE_PARTS


def nodes(count: int) -> list[NodeId]:
    return [NodeId(hashlib.sha256(b"node %d" % number).digest()[:20]) for number in range(count)]


def standing(node: NodeId, **changes: object) -> NodeStanding:
    return msgspec.structs.replace(unjudged(node, 900_000), **({"good": 1_000, "signed": 1} | changes))


def basis(of: list[NodeId], **changes: object) -> Basis:
    standings = MappingProxyType({node: standing(node, **changes) for node in of})
    return Basis(members=MEMBERS, output=bytes(64), standings=standings, commitments=MappingProxyType({}))


def output(epoch: int, member: bytes) -> bytes:
    """As a VRF gives it: nobody can foresee it."""
    return hashlib.sha512(b"%d" % epoch + member).digest()


def plan(of: list[NodeId], doubted: list[NodeId], seed: int = 1, member: bytes = MEMBERS[0]) -> EpochPlan:
    standings = {node: standing(node) for node in of}
    candidates = [Candidate(node, "model", b"m" * 32) for node in of]
    found = plan_epoch(POOL, 7, member, candidates, standings, 600.0, seeded(seed), doubted=doubted)
    assert found is not None
    return found


def test_a_doubted_node_is_checked_at_the_higher_rate_in_the_first_places_alone() -> None:
    (node,) = nodes(1)
    of = basis([node])
    epochs = 4_000
    counted: Counter[str] = Counter()
    for epoch in range(epochs):
        for member in MEMBERS:
            y = output(epoch, member)
            duty, sooner = has_duty(of, member, node, y), may_check(of, member, node, y, MAX_SAMPLED - 1)
            assert may_check(of, member, node, y, MAX_SAMPLED) == duty
            assert sooner >= duty, "whom a member has to check it may check"
            counted["duty"] += duty
            counted["sooner"] += sooner
    assert 0.015 < counted["duty"] / epochs < 0.025
    assert 0.85 * RATE < counted["sooner"] / epochs < 1.15 * RATE


@pytest.mark.parametrize("changes", [{"excluded": True}, {"suspicion": 1}, {"good": 0}, {"contradicted": True}])
def test_who_is_checked_in_every_epoch_or_never_is_not_checked_by_others_for_a_sample(
    changes: dict[str, object],
) -> None:
    (node,) = nodes(1)
    of = basis([node], **changes)
    for epoch in range(300):
        for member in MEMBERS:
            y = output(epoch, member)
            assert may_check(of, member, node, y, 0) == has_duty(of, member, node, y)


def test_nobody_checks_its_own_family_for_a_sample_nor_before_its_lot_is_known() -> None:
    (node,) = nodes(1)
    kin = ChallengeCommitment(bytes(32), 7, MEMBERS[0], bytes(32), 1, (node[:8],))
    of = with_commitments(basis([node]), {MEMBERS[0]: kin})
    outputs = [output(epoch, MEMBERS[0]) for epoch in range(300)]
    assert not any(may_check(of, MEMBERS[0], node, y, 0) for y in outputs)
    assert not any(may_check(of, member, node, None, 0) for member in MEMBERS)


def with_commitments(of: Basis, commitments: dict[bytes, ChallengeCommitment]) -> Basis:
    return Basis(
        members=of.members,
        output=of.output,
        standings=of.standings,
        commitments=MappingProxyType(commitments),
    )


@pytest.mark.parametrize("doubts", [1, 8, 9, 200])
def test_a_flood_of_doubts_takes_no_more_places_and_no_check_from_others(doubts: int) -> None:
    """However many are doubted: all members together look sooner 0.8 times an epoch on average, and at whoever they
    have to look they look as before."""
    of = nodes(200)
    known, extra, epochs = basis(of), 0, 60
    for epoch in range(epochs):
        for number, member in enumerate(MEMBERS):
            y = output(epoch, member)
            made = plan(of, of[:doubts], seed=100 * epoch + number, member=member)
            assert made.sampled == min(doubts, MAX_SAMPLED)
            assert {one.index for one in made.planned.values()} == set(range(200))
            due = {NodeId(one.challenge.node) for one in duties_of(made, known, member, y)}
            duties = {node for node in of if has_duty(known, member, node, y)}
            assert duties <= due
            first = {node for node, one in made.planned.items() if one.index < made.sampled}
            assert due - duties <= first <= set(of[:doubts])
            extra += len(due - duties)
    assert extra / epochs <= 1.6 * MAX_SAMPLED * RATE


def test_the_lot_decides_who_of_many_doubted_ones_comes_first_whoever_is_doubted_most() -> None:
    of = nodes(40)
    counted: Counter[NodeId] = Counter()
    for seed in range(400):
        made = plan(of, of[:20] + of[:1] * 1_000, seed=seed)  # a thousand samples of one competitor
        counted.update(node for node, one in made.planned.items() if one.index < made.sampled)
    assert set(counted) == set(of[:20])
    assert all(0.28 < counted[node] / 400 < 0.52 for node in of[:20]), "8 of 20 each time"


def test_without_doubts_nothing_changes() -> None:
    of = nodes(30)
    known = basis(of)
    made = plan(of, [])
    strangers = plan(of, nodes(40)[30:])
    assert made.sampled == strangers.sampled == 0
    for epoch in range(50):
        y = output(epoch, MEMBERS[0])
        duties = {node for node in of if has_duty(known, MEMBERS[0], node, y)}
        assert {one.challenge.node for one in duties_of(made, known, MEMBERS[0], y)} == duties


def test_new_nodes_take_no_place_of_doubted_ones() -> None:
    of = nodes(12)
    standings = {node: standing(node) for node in of[:2]}
    candidates = [Candidate(node, "model", b"m" * 32) for node in of]
    made = plan_epoch(POOL, 7, MEMBERS[0], candidates, standings, 600.0, seeded(1), doubted=of)
    assert made is not None
    assert {node for node, one in made.planned.items() if one.index < made.sampled} == set(of[:2])


def test_a_plan_on_the_disk_keeps_who_was_doubted() -> None:
    of = nodes(10)
    made = plan(of, of[3:5])
    again = read_plan(7, encoded_plan(made))
    assert again.sampled == made.sampled == 2
    assert again.planned == dict(made.planned)
