"""One verifier's results of one node and epoch are bounded over all blocks."""

from typing import Any

from engine.verification.chain.judged import Judged, said_by, standings_after
from engine.verification.reputation.page import OURS
from engine.wire.blocks import NodeStanding
from tests.support.judging import score
from tests.support.records import identity

NODE = identity(51).node_id


def after(*blocks: list[Judged]) -> NodeStanding:
    standings: dict[Any, NodeStanding] = {}
    said: dict[Any, int] = {}
    for judged in blocks:
        standings = standings_after(standings, judged, 0, OURS, said)
        said |= said_by(judged, said, OURS)
    return standings[NODE]


def result(turn: int, likelihood: int, author: int = 0, epoch: int = 7) -> Judged:
    return Judged(NODE, epoch, author, turn, score(likelihood))


def test_fails_of_one_verifier_do_not_add_up_over_blocks() -> None:
    fails = [result(turn, 4_000) for turn in range(3)]
    together, apart = after(fails), after(*([one] for one in fails))
    assert (together.suspicion, together.lapses) == (5_000, 3_000)
    assert (apart.suspicion, apart.lapses, apart.reputation) == (4_000, 3_000, together.reputation)
    grown = after([result(0, 900)], [result(1, 4_000)], [result(2, 5_000)], [result(3, 900)])
    assert (grown.suspicion, grown.lapses) == (5_000, 3_000), "the worst block counts"
    assert after([fails[0]], [result(1, 4_000, author=1)]).suspicion == 8_000, "another verifier's does add up"
    assert after([fails[0]], [result(1, 4_000, epoch=8)]).lapses == 6_000, "another epoch's, too"


def test_passes_of_one_verifier_earn_once_over_blocks() -> None:
    passes = [result(turn, -4_000) for turn in range(3)]
    together, apart = after(passes), after(*([one] for one in passes))
    assert (apart.reputation, apart.good) == (together.reputation, together.good)
    assert together.good == 1


def test_a_pass_behind_a_block_that_decided_nothing_earns_once() -> None:
    """Before, a conversation whose first turn came into an earlier block and decided nothing gave the node nothing."""
    undecided, passed = result(0, -200), [result(turn, -4_000) for turn in (1, 2)]
    direct, late = after(passed[:1]), after([undecided], passed[:1])
    assert (late.reputation, late.good) == (direct.reputation, direct.good) == (direct.reputation, 1)
    assert after([undecided], passed[:1], passed[1:]).good == 1
    assert after(passed[:1], [undecided], passed[1:]).good == 1
    assert after([result(0, 500)], passed[:1]).good == 0, "what speaks against it a little was counted"
    assert after(passed[:1], [result(1, 4_000)]).good == 0
    assert after(passed[:1], [result(1, 4_000)], passed[1:]).good == 0
