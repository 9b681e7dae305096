"""A member that says it holds what others hold: what it draws, and that look-ups leave it out."""

from __future__ import annotations

from dataclasses import replace

from engine.simulation.forwarding.generated import generate
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.node_kinds import kind_of
from engine.simulation.forwarding.poisoning import WAYS, Plans, simulate

PLAN = Plan(policy="cost", kinds=[kind_of("a100-8b")], nodes=4, poisoning=0.25, doubts=True)


def wasted(plan: Plan) -> tuple[int, int]:
    """Requests that went to the liar in vain, and to others."""
    network = Network(plan)
    (liar,) = network.group.poisoning
    found = [one.node == liar for one in network.run(generate("tooluse", 300, seed=2, rate=4)) if one.wasted]
    return sum(found), len(found) - sum(found)


def test_who_admits_that_it_did_not_hold_it_is_left_out_of_look_ups() -> None:
    doubted, of_others = wasted(PLAN)
    believed, _ = wasted(replace(PLAN, doubts=False))
    assert 0 < doubted < believed
    assert of_others == 0, "what honest members say is so"


def test_who_denies_it_is_left_out_when_its_answers_are_late() -> None:
    denying, _ = wasted(replace(PLAN, denying=True))
    believed, _ = wasted(replace(PLAN, doubts=False, denying=True))
    assert 0 < denying < believed


def test_who_lies_of_its_cache_may_overstate_its_speed_as_well() -> None:
    network = Network(replace(PLAN, poisoning=0.5, overstating=0.25))
    assert len(network.group.poisoning) == 2
    assert network.group.overstating < network.group.poisoning


def test_a_liar_is_compared_with_the_same_group_without_lies() -> None:
    found = simulate(Plans(groups=1, requests=150))
    assert set(found["ways"]) == set(WAYS)
    for one in found["ways"].values():
        assert 0 <= one["share_later"] <= one["share_later_max"] <= 1
        assert (one["refused"], one["wasted_of_others"]) == (0, 0)
        assert one["honest_first_token"] > 0
    assert found["ways"]["denies and overstates"]["delay"] > found["ways"]["admits"]["delay"]
    assert found == simulate(Plans(groups=1, requests=150)), "the same seed gives the same numbers"
