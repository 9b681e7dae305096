"""Since when a server is reached, and since when it lists this machine."""

from __future__ import annotations

from engine.clock import ManualClock
from engine.transport.bootstrap_state import BootstrapState, Phase, Status


def test_since_when_it_is_reached_or_is_not_any_more() -> None:
    clock = ManualClock(1000.0)
    told: list[BootstrapState] = []
    status = Status(told.append, clock.wall)
    assert (status.state.since, status.state.listed) == (1000.0, 0.0)
    clock.advance(10)
    status.set(phase=Phase.UNREACHABLE, reason="It is away.")
    assert status.state.since == 1000.0, "it was not reached before either"
    clock.advance(10)
    status.set(phase=Phase.CONNECTED, reason="")
    clock.advance(10)
    status.set(published=True)
    clock.advance(10)
    status.set(published=True, warning="Something else.")
    assert (status.state.since, status.state.listed) == (1020.0, 1030.0)
    status.set(phase=Phase.REFUSED, published=False)
    clock.advance(10)
    status.set(phase=Phase.UNREACHABLE)
    assert (status.state.since, status.state.listed) == (1040.0, 0.0)
    assert len(told) == 6
