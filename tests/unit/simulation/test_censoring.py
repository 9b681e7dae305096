"""Leaders that leave out promises get no block in a calm network, and would get theirs without the rule."""

from __future__ import annotations

import pytest

from engine.simulation.committee.censoring import CHEATS, Plan, simulate


def test_leaders_that_leave_out_promises_delay_nothing_in_a_calm_network() -> None:
    found = simulate(Plan(schedules=12, networks=3, epochs=12))
    ruled, free = found["with_rule"]["calm"], found["without_rule"]["calm"]
    assert (ruled["leaves_out"], ruled["decided"], ruled["schedules"]) == (0, 12, 12)
    assert ruled["rounds_median"] == 1, "the next leader's block"
    assert free["leaves_out"] > 0.5
    assert free["leaves_out_all"] <= free["leaves_out"]
    assert free["rounds_median"] == 0
    assert ruled["cheats"]["epochs"] == found["no_censor"]["cheats"]["epochs"]
    assert free["cheats"]["unchecked"] == pytest.approx(free["leaves_out"] / 4, abs=1e-4)
    for rule in ("with_rule", "without_rule"):
        for when in ("calm", "hostile"):
            one = found[rule][when]["cheats"]
            assert one["honest_excluded"] == 0
            assert set(one["epochs"]) == set(CHEATS)
