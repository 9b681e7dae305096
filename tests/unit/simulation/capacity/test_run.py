"""What simultaneous long questions make of claims, in simulated networks; small counts."""

from __future__ import annotations

import random

import pytest

from engine.simulation.capacity.challenge import ask_together
from engine.simulation.capacity.machines import Identity, Machine
from engine.simulation.capacity.run import Plan, area, as_text, simulate
from engine.verification.capacity.measuring import WHOLE, measured_share


def identities(machine: Machine, count: int) -> list[Identity]:
    return [Identity(machine=machine, claimed=machine.rate, access=machine.access) for _ in range(count)]


@pytest.mark.parametrize("in_turns", [False, True])
def test_a_machine_behind_four_identities_reads_four_prompts_in_the_time_of_four(in_turns: bool) -> None:
    dice = random.Random(1)
    machine = Machine(1_000.0, 0.0, 0.005, 0.05)
    probes = ask_together(identities(machine, 4), dice, in_turns=in_turns)
    shares = sorted(measured_share(one) / WHOLE for one in probes)
    assert 0.2 < shares[0] < 0.32, "whoever is last has waited for all"
    assert (shares[-1] > 0.7) != in_turns
    (alone,) = ask_together(identities(machine, 1), dice, in_turns=in_turns)
    assert measured_share(alone) > 700


def test_the_area_is_that_of_all_pairs() -> None:
    dice = random.Random(2)
    for _ in range(50):
        higher = [dice.randint(0, 6) for _ in range(dice.randint(1, 9))]
        lower = [dice.randint(0, 6) for _ in range(dice.randint(1, 9))]
        pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one in higher for other in lower]
        assert area(higher, lower) == pytest.approx(sum(pairs) / len(pairs))


def test_false_claims_are_cut_and_honest_ones_are_not() -> None:
    report = simulate(Plan(networks=4, seed=3))
    claims = report["claims"]
    assert report["problems"] == []
    honest = [one for name, one in claims.items() if name.startswith("honest")]
    assert len(honest) == 6
    assert all(one["cut"] == one["ever_cut"] == 0 and one["moments_to_cut"] is None for one in honest)
    assert 3 <= claims["claims twice its speed"]["moments_to_cut"] <= 8
    assert report["share_of_time"]["later"] < 0.001 < report["share_of_time"]["at_first"] < 0.003
    assert claims["claims ten times its speed"]["believed_mean"] <= 0.25
    assert claims["four identities of one machine, by turns"]["believed_mean"] <= 0.3
    assert report["relaying"]["a link"]["with its server"]["auc"] > 0.9
    text = as_text(report)
    assert all(name in text for name in claims)
    assert report == simulate(Plan(networks=4, seed=3)), "the same seed gives the same numbers"
