"""Epochs of one simulated network, with answers whose scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from engine.ids import NodeId
from engine.simulation.verification.adversaries import ADVERSARIES, TURNS_AFTER, Adversary
from engine.simulation.verification.network import SimulatedNetwork, SimulatedNode, traffic_shares
from engine.simulation.verification.recorded import JudgedAnswer, Recorded
from engine.verification.chain.room import entries_that_fit
from engine.verification.reputation.page import OURS
from engine.verification.reputation.published import PUBLISHED
from engine.verification.reputation.rule import THRESHOLD
from engine.wire.blocks import NodeStanding
from tests.support.judging import score

CLEAN = JudgedAnswer(score(-3_000), 100)
FOUND = JudgedAnswer(score(4_000, credit=700_000), 100)
RECORDED = Recorded(
    "a model",
    {"honest": [(CLEAN, CLEAN)]},
    {one.maker: [(FOUND, FOUND)] for one in ADVERSARIES.values() if one.maker},
)


def network(adversaries: Sequence[Adversary | None], verifiers: int = 4, seed: int = 1) -> SimulatedNetwork:
    nodes = [SimulatedNode(NodeId(bytes([place]) * 20), "honest", one) for place, one in enumerate(adversaries)]
    return SimulatedNetwork(RECORDED, nodes, verifiers, Random(seed))


def test_a_new_node_that_cheats_is_excluded_after_four_failed_checks_and_the_honest_one_is_established() -> None:
    found = network([ADVERSARIES["quantised"], None])
    found.run_epoch()
    cheat, honest = (node.course for node in found.nodes)
    assert (cheat.excluded, cheat.first_fail, cheat.checks) == (0, 0, 4)  # four verifiers, 5 for each
    assert 4 <= cheat.until_answers <= 8  # conversations of one question and of two
    assert cheat.until_tokens == cheat.until_answers * FOUND.score.tokens
    assert honest.excluded is None
    assert found.standings[NodeId(b"\1" * 20)].good == 4
    found.run_epoch()
    assert cheat.checks == 6  # an excluded node is checked by f + 1


def test_checks_become_rare_with_good_results() -> None:
    found = network([None] * 4)
    for _ in range(300):
        found.run_epoch()
    for node in found.nodes:
        assert node.course.new_epochs == 3  # 4, 8, 12 good results
        assert node.course.new_checks == 12
        assert 2 < node.course.checks - node.course.new_checks < 60  # 297 epochs, at 1 in 10 falling to 1 in 50


def test_one_that_turns_is_found_soon_after_its_first_failed_check_and_that_waits_for_a_lot() -> None:
    found = network([ADVERSARIES["turncoat"]])
    course, (node,) = found.nodes[0].course, found.nodes
    assert found.standings[node.node_id].good == TURNS_AFTER
    while course.excluded is None:
        found.run_epoch()
    assert course.first_fail is not None
    assert course.excluded - course.first_fail <= 2
    assert course.checks - course.new_checks == 1  # by lot; the others followed from it


def test_of_results_that_no_block_has_room_for_some_are_lost() -> None:
    found, room = network([None] * 80), entries_that_fit(4)
    assert 130 <= room < 145
    found.run_epoch()
    asked = sum(node.course.answers for node in found.nodes)  # 320 conversations of one question and of two
    assert asked > 3 * room
    for _ in range(2):
        found.run_epoch()
    assert found.epoch == 3
    judged = sum(standing.judged for standing in found.standings.values())
    assert judged == 3 * room
    lost = sum(node.course.dropped for node in found.nodes)
    assert lost == asked - 3 * room  # of the first epoch; the others may still be judged


def test_the_published_rule_sees_the_same_answers_and_not_a_credit_just_above_its_threshold() -> None:
    found = network([ADVERSARIES["credit-0.41"], ADVERSARIES["relaying"]])
    for _ in range(50):
        found.run_epoch()
    cliff, relaying = (node.course for node in found.nodes)
    assert cliff.excluded == 0
    assert cliff.published_excluded is None
    assert found.published[NodeId(bytes(20))].reputation == pytest.approx(410_000, abs=10)
    assert relaying.excluded is None
    assert relaying.first_cheat is None


def test_who_cheats_behind_the_first_question_is_asked_several() -> None:
    found = network([ADVERSARIES["later-turns"]])
    found.run_epoch()
    standing = found.standings[NodeId(bytes(20))]
    assert found.nodes[0].course.first_cheat == 0
    asked_again = standing.judged - 4
    assert 1 <= asked_again <= 4
    assert standing.suspicion == asked_again * FOUND.score.likelihood, "what follows tells"
    found.run_epoch()
    found.run_epoch()
    assert found.standings[NodeId(bytes(20))].excluded


def test_who_watches_its_standing_is_honest_while_it_is_suspected() -> None:
    watches, dice = ADVERSARIES["watches"], Random(1)
    standing = _standing(reputation=900_000, good=100)
    assert watches.cheats(standing, dice)
    assert not watches.cheats(_standing(reputation=900_000, good=100, suspicion=1), dice)
    assert not watches.cheats(_standing(reputation=900_000, good=9), dice)
    lapsed = _standing(reputation=900_000, good=100, lapses=3_000)
    assert watches.cheats(lapsed, dice)
    assert not ADVERSARIES["watches-patiently"].cheats(lapsed, dice)


def test_traffic_goes_by_standing() -> None:
    full, new, out = _standing(reputation=400_000), _standing(), _standing(excluded=True, reputation=0)
    assert traffic_shares([new, new, out]) == [0.5, 0.5, 0.0]
    assert traffic_shares([out]) == [0.0]
    shares = traffic_shares([full, full, new, out])
    assert sum(shares) == pytest.approx(1)
    assert shares[3] == 0
    assert 0.02 < shares[2] < 0.03
    hundred = traffic_shares([full] * 99 + [new])
    assert hundred[99] == pytest.approx(0.25 / 100, rel=0.1)  # a quarter of an even share


def test_the_same_dice_give_the_same_course() -> None:
    first, second = (network([ADVERSARIES["mixed"], None, None], seed=7) for _ in range(2))
    for _ in range(20):
        first.run_epoch()
        second.run_epoch()
    assert first.standings == second.standings
    assert [node.course for node in first.nodes] == [node.course for node in second.nodes]


def test_standings_are_those_of_the_rules_alone() -> None:
    """Every conversation of one node judged again by hand: as all are alike, their order is no matter."""
    found = network([None])
    for _ in range(30):
        found.run_epoch()
    (standing,) = found.standings.values()
    again = OURS.newcomer(standing.node_id)
    for _ in range(found.nodes[0].course.checks):
        again = OURS.judge(again, [[CLEAN.score]])  # a second answer like the first one changes nothing
    assert (again.reputation, again.good, again.suspicion) == (standing.reputation, standing.good, standing.suspicion)
    assert next(iter(found.published.values())).reputation > PUBLISHED.start


def test_who_breaks_off_what_would_not_pass_is_never_established() -> None:
    found = network([ADVERSARIES["breaks-off"], None])
    for _ in range(30):
        found.run_epoch()
    cheat, honest = (node.course for node in found.nodes)
    assert (cheat.answers, cheat.excluded) == (0, None)
    assert NodeId(b"\0" * 20) not in found.standings
    assert cheat.traffic < honest.traffic / 4


def test_faults_of_lines_and_machines_cost_honest_nodes_some_checks_and_nothing_else() -> None:
    nodes = [SimulatedNode(NodeId(bytes([place]) * 20), "honest") for place in range(8)]
    found = SimulatedNetwork(RECORDED, nodes, 4, Random(3), faults=0.05)
    for epoch in range(200):
        found.run_epoch()
        if epoch > 8:
            assert all(one.reputation >= THRESHOLD for one in found.standings.values())
    assert not any(one.excluded or one.suspicion or one.lapses for one in found.standings.values())
    assert 3 * 8 < sum(node.course.new_epochs for node in nodes) < 40 * 8, "each is checked as a new one now and then"


def _standing(**changes: object) -> NodeStanding:
    fields: dict[str, object] = {
        "node_id": bytes(20),
        "reputation": 300_000,
        "suspicion": 0,
        "lapses": 0,
        "good": 0,
        "judged": 0,
        "signed": 0,
        "excluded": False,
        "recent": (),
    }
    return NodeStanding(**fields | changes)


def test_in_some_epochs_nobody_is_checked() -> None:
    nodes = [SimulatedNode(NodeId(bytes([place]) * 20), "honest", None) for place in range(2)]
    found = SimulatedNetwork(RECORDED, nodes, 4, Random(1), unchecked=0.5)
    checked = []
    for _ in range(60):
        before = nodes[0].course.checks + nodes[1].course.checks
        found.run_epoch()
        checked.append(nodes[0].course.checks + nodes[1].course.checks > before)
    assert nodes[0].course.new_epochs >= 3
    assert 0 < sum(checked[:8]) < 8
