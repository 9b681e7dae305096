"""Cloves that wait for a link with their model node: bounded in number, bytes, dials and time."""

from __future__ import annotations

from engine.paths.proxy_dials import (
    DIAL_BURST,
    DIAL_SECONDS,
    MAX_DIALS_PER_CIRCUIT,
    MAX_WAITING_BYTES,
    MAX_WAITING_PER_CIRCUIT,
    DialsOnDemand,
)
from engine.wire.circuit import Dispatch
from tests.support.wires import node

MODEL, OTHER = node("model"), node("other")


def clove(index: int = 0, destination: bytes = MODEL, length: int = 10) -> Dispatch:
    return Dispatch(destination, index.to_bytes(16, "big"), bytes(length))


def test_one_dial_for_all_that_wait_and_they_go_out_in_order() -> None:
    dials = DialsOnDemand()
    assert dials.hold(1, clove(0), 0.0) is True
    assert dials.hold(2, clove(1), 0.0) is False
    assert dials.hold(1, clove(2), 1.0) is False
    assert dials.next_deadline() == DIAL_SECONDS
    assert dials.take(OTHER) == []
    assert [number for number, _ in dials.take(MODEL)] == [1, 2, 1]
    assert dials.take(MODEL) == []
    assert dials.next_deadline() is None


def test_what_waits_too_long_is_given_back() -> None:
    dials = DialsOnDemand()
    dials.hold(1, clove(), 0.0)
    assert dials.expired(DIAL_SECONDS - 0.1) == []
    assert dials.expired(DIAL_SECONDS) == [(1, clove())]
    assert dials.hold(1, clove(), DIAL_SECONDS) is True  # and may be tried again


def test_a_closed_circuit_waits_for_nothing() -> None:
    dials = DialsOnDemand()
    dials.hold(1, clove(0), 0.0)
    dials.hold(2, clove(1), 0.0)
    dials.circuit_closed(1)
    assert dials.take(MODEL) == [(2, clove(1))]


def test_a_circuit_has_few_dials_and_few_cloves_waiting() -> None:
    dials = DialsOnDemand()
    for index in range(MAX_DIALS_PER_CIRCUIT):
        assert dials.hold(1, clove(0, node(str(index))), 0.0) is True
    assert dials.hold(1, clove(0, MODEL), 0.0) is None
    assert dials.hold(2, clove(0, MODEL), 0.0) is True
    dials = DialsOnDemand()
    held = [dials.hold(1, clove(index), 0.0) for index in range(MAX_WAITING_PER_CIRCUIT + 1)]
    assert held[-1] is None
    assert None not in held[:-1]
    dials.take(MODEL)
    assert dials.hold(1, clove(), 0.0) is True


def test_all_circuits_together_have_a_rate_of_dials_and_a_bound_of_bytes() -> None:
    dials = DialsOnDemand()
    made = [dials.hold(number, clove(0, node(str(number))), 0.0) for number in range(int(DIAL_BURST) + 5)]
    assert made.count(True) == DIAL_BURST
    assert dials.hold(99, clove(0, MODEL), 1.0) is True
    dials = DialsOnDemand()
    assert dials.hold(1, clove(0, MODEL, MAX_WAITING_BYTES), 0.0) is True
    assert dials.hold(2, clove(0, MODEL, 1), 0.0) is None
    dials.expired(DIAL_SECONDS)
    assert dials.hold(2, clove(0, MODEL, 1), DIAL_SECONDS) is True
