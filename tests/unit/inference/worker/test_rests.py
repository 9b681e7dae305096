"""Whose answers may go on while a worker is slowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.worker.rests import LONGEST, Rests


def made(pace: float, owners: float = 1.0) -> Rests:
    rests = Rests()
    rests.pace, rests.owners = pace, owners
    return rests


def test_others_rest_and_the_owner_does_not() -> None:
    rests = made(0.1)
    assert rests.who(0.0, owner_waits=False) == "everybody"
    rests.worked(0.0, 1.0, owner_only=False)
    assert rests.who(1.0, owner_waits=False) == "owner"
    rests.worked(1.0, 3.0, owner_only=True)
    assert (rests.until(owner=True), rests.until(owner=False)) == (3.0, 1.0 + LONGEST)
    assert rests.who(6.0, owner_waits=False) == "everybody"


def test_who_is_in_the_owners_way_does_not_rest() -> None:
    rests = made(0.1)
    rests.worked(0.0, 1.0, owner_only=False)
    assert rests.who(1.0, owner_waits=True) == "everybody"


def test_heat_lets_the_owner_rest_too() -> None:
    rests = made(0.1, owners=0.5)
    rests.worked(0.0, 1.0, owner_only=False)
    assert rests.who(1.5, owner_waits=True) == rests.who(1.5, owner_waits=False) == "nobody"
    assert (rests.who(2.0, owner_waits=True), rests.who(2.0, owner_waits=False)) == ("everybody", "owner")


@given(st.floats(0.1, 1.0), st.lists(st.tuples(st.floats(0.001, 0.5), st.booleans()), min_size=1, max_size=50))
def test_others_never_get_more_of_the_time_than_their_share(pace: float, steps: list[tuple[float, bool]]) -> None:
    rests, now, worked = made(pace), 0.0, 0.0
    for seconds, owner_asks in steps:
        who = rests.who(now, owner_waits=False)
        if who == "owner" and not owner_asks:
            now = rests.until(owner=False)
            who = "everybody"
        rests.worked(now, now + seconds, owner_only=who == "owner")
        now += seconds
        worked += seconds if who == "everybody" else 0.0
    assert worked <= pace * max(now, rests.until(owner=False)) + 1e-6


@pytest.mark.parametrize("share", [1.0, 0.01])
def test_a_rest_has_an_end(share: float) -> None:
    rests = made(share, share)
    rests.worked(0.0, 100.0, owner_only=False)
    assert rests.until(owner=False) == rests.until(owner=True) == 100.0 + (0.0 if share == 1 else LONGEST)
