"""What is counted of a run."""

from __future__ import annotations

import pytest

from engine.simulation.forwarding.measures import Outcome, steady_goodput, summary


def ended(arrived: float, finished: float, tokens: int = 10) -> Outcome:
    outcome = Outcome(arrived, 100, tokens)
    outcome.first_token, outcome.finished, outcome.node = arrived + 0.1, finished, 0
    return outcome


def test_steady_goodput_leaves_out_how_a_run_begins_and_ends() -> None:
    steady = [ended(0.0, 10.0 + number) for number in range(100)]
    assert steady_goodput(steady) == pytest.approx(10.0)
    slow_start = [ended(0.0, 0.1 + number) for number in range(10)]
    straggler = [ended(0.0, 10_000.0)]
    assert steady_goodput([*straggler, *slow_start, *steady]) == pytest.approx(10.0)
    found = summary("none", [*steady, *straggler], nodes=1)
    assert found["steady_tokens_per_s"] == pytest.approx(10.0)
    assert found["goodput_tokens_per_s"] == pytest.approx(1010 / 10_000, abs=1e-3)


def test_steady_goodput_of_little_or_nothing() -> None:
    assert steady_goodput([]) == 0.0
    assert steady_goodput([Outcome(0.0, 100, 10)]) == 0.0  # never answered
    assert steady_goodput([ended(1.0, 3.0)]) == pytest.approx(5.0)
    assert steady_goodput([ended(0.0, 2.0), ended(0.0, 4.0)]) == pytest.approx(5.0)
    assert steady_goodput([ended(0.0, 2.0), ended(0.0, 2.0)]) == 0.0
