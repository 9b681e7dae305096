"""One machine behind many identities: caps and work hold it off as far as they do, and newcomers get little."""

from __future__ import annotations

from random import Random

import pytest

from engine.forwarding.policies.candidates import NEWCOMER_SHARE
from engine.simulation.identities import Attack, Plan, listed_of, simulate


@pytest.mark.parametrize(
    ("attack", "listed"),
    [
        (Attack("an address", 1, 1, 3600.0, 1.0, 100), 32),
        (Attack("a neighbourhood", 256, 1, 3600.0, 1.0, 100), 64),
        (Attack("without work", 1, 1, 0.0, 0.1, 100), 8),
        (Attack("networks", 16, 16, 0.0, 0.1, 100), 32),
    ],
)
def test_how_many_are_listed(attack: Attack, listed: int) -> None:
    prefixes, seconds = listed_of(attack, Random(1))
    assert len(prefixes) == listed
    assert len(set(prefixes)) == attack.networks
    assert seconds <= attack.work
    assert (seconds > 0) == (attack.work > 0)


def test_what_a_crowd_gets() -> None:
    attack = Attack("an address", 1, 1, 60.0, 1.0, 40)
    plan = Plan(networks=2, paths=80, attacks=(attack,))
    found = simulate(plan)
    (one,) = found["attacks"].values()
    assert one["listed"] == 32
    assert one["of_questions"] <= NEWCOMER_SHARE + 0.01
    assert one["of_questions_after_10"] == 0
    assert (one["excluded"], one["honest_excluded"]) == (1, 0)
    assert 0 < one["epochs_to_last"] <= 10
    assert one["guard_and_proxy_new"] == 0, "no guard is younger than a week"
    assert one["guard_and_proxy_week_old"] == 0, "two of one network are on no path"
    assert one["on_paths_week_old"] > one["on_paths_new"] > 0
    assert found == simulate(plan)
