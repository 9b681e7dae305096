"""Reality and simulation are counted in the same way, and compared."""

import pytest

from engine.bench.forwarding.asking import CODE_OF_CLIENT, Record
from engine.bench.forwarding.outcomes import error, gain, real_summary, simulated_summary
from engine.simulation.forwarding.measures import Outcome


def record(intended, first, ended, node, cached=50):
    return Record(intended, intended + 0.01, intended + first, intended + ended, 100, cached, 10, node)


RECORDS = [
    record(0.0, 9.0, 9.5, "c"),  # warms up
    record(1.0, 0.5, 1.0, "a"),
    record(2.0, 1.5, 2.0, "b", cached=0),
    record(3.0, 1.0, 7.0, "a", cached=100),
    Record(4.0, 4.0, ended=4.1, error="overloaded", message="full"),
    Record(5.0, 5.0, error=CODE_OF_CLIENT, message="no answer"),
]


def test_what_was_measured():
    found = real_summary("none", RECORDS, 1, 4)
    assert (found["requests"], found["finished"], found["rejected"], found["lost"]) == (5, 3, 1, 1)
    assert found["reasons"] == {"overloaded": 1, CODE_OF_CLIENT: 1}
    assert found["ttft_s"]["mean"] == pytest.approx(1.0)
    assert found["ttft_s"]["p50"] == pytest.approx(1.0)
    assert found["total_s"]["mean"] == pytest.approx(10 / 3)
    assert found["hit_rate"] == pytest.approx(0.5)
    assert found["prefilled_tokens"] == 150
    assert found["goodput_tokens_per_s"] == pytest.approx(30 / 9.0, abs=1e-3)  # from 1.0 to 10.0
    assert found["node_share"] == [0.6667, 0.3333, 0.0, 0.0]
    assert found["late_s"]["mean"] == pytest.approx(0.03 / 5)


def test_nothing_answered_is_no_error():
    found = real_summary("none", RECORDS[4:], 0, 2)
    assert found["ttft_s"]["mean"] is None
    assert found["goodput_tokens_per_s"] == found["hit_rate"] == 0.0
    assert error(found, found, "ttft_s") is None
    assert gain(found, found, "ttft_s") is None


def outcome(arrived, first, finished, node, **more):
    return Outcome(arrived, 100, 10, arrived + first, arrived + finished, node=node, cached=50, **more)


def test_several_simulations_are_averaged():
    draws = [
        [outcome(0.0, 5.0, 5.0, 0), outcome(1.0, 1.0, 2.0, 0), outcome(2.0, 1.0, 2.0, 1)],
        [outcome(0.0, 5.0, 5.0, 0), outcome(1.0, 3.0, 4.0, 2), Outcome(2.0, 100, 10, rejected=True)],
    ]
    found = simulated_summary("cost", draws, 1, 3)
    assert found["policy"] == "cost"
    assert found["requests"] == 2
    assert found["finished"] == 1.5
    assert found["rejected"] == 0.5
    assert found["ttft_s"]["mean"] == pytest.approx(2.0)
    assert found["total_s"]["mean"] == pytest.approx(3.0)
    assert found["ttft_mean_range_s"] == [1.0, 3.0]
    assert found["node_share"] == [0.75, 0.25, 0.0]
    assert found["hit_rate"] == pytest.approx(0.5)


def test_error_and_gain():
    slow = {"ttft_s": {"mean": 2.0}}
    fast = {"ttft_s": {"mean": 0.5}}
    assert error(slow, fast, "ttft_s") == -0.75
    assert error(fast, slow, "ttft_s") == 3.0
    assert gain(slow, fast, "ttft_s") == 0.75
