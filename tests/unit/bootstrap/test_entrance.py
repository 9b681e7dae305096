"""A flood of identities from one /24 and one /48: what it gets, what it pays, and what others feel of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.entrance import Entrance
from engine.bootstrap.registry import Registry
from engine.directory.prefix import network_prefix
from engine.directory.snapshot import ChainPoint
from engine.directory.work import FIRST_BITS, MOST_BITS, WINDOW_SECONDS
from engine.errors import DirectoryError
from engine.wire.codec import encode
from engine.wire.receipts import WorkSolution
from tests.support.records import NOW, SERVER, descriptor, genesis, identity


class Door:
    """A server's entrance; whoever is asked for work does it, or rather is believed to have done it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = genesis()
        self.registry = Registry(made, SERVER, ChainPoint(), [], 0.0)
        self.entrance = Entrance(made.network_id, OperatorConfiguration(), self.registry, b"s" * 32, one_machine=False)
        monkeypatch.setattr("engine.directory.work.is_solved", lambda *_: True)
        self.network = made.network_id
        self.paid: list[int] = []
        self.refused = 0

    def register(self, number: int, address: str, at: float = 0.0) -> int | None:
        """The bits that it took; None if it was not let in."""
        owner, wall = identity(number), NOW + at
        try:
            asked = self.entrance.admit(owner.public_key, address, b"", wall, at)
            bits = asked.bits if asked is not None else 0
            if asked is not None:
                work = encode(WorkSolution(asked, 0))
                assert self.entrance.admit(owner.public_key, address, work, wall, at) is None
        except DirectoryError:
            self.refused += 1
            return None
        member, _ = self.registry.accept(descriptor(owner, self.network, wall), network_prefix(address), wall, at)
        self.entrance.came(member, address, at, is_new=True)
        self.paid.append(bits)
        return bits


PLACES: list[Callable[[int], str]] = [
    lambda number: f"203.0.113.{number % 256}",
    lambda number: f"2001:db8:7:{number:x}::1",
]


@pytest.mark.parametrize("address", PLACES, ids=["one /24", "one /48"])
def test_a_thousand_registrations_from_one_place(
    address: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(monkeypatch)
    for number in range(1_000):
        door.register(number, address(number), at=number * 0.1)
    assert (len(door.paid), door.refused) == (64, 936)
    assert door.paid[:8] == [0] * 8
    work = sum(2**bits for bits in door.paid)
    assert work > 40 * 2**20, "more than forty million hashes for the 64"
    elsewhere = [door.register(2_000 + number, f"198.51.{number}.7", at=100.0) for number in range(3)]
    assert all(bits is not None and bits <= 20 for bits in elsewhere), "others pay for 64 newcomers, not for a thousand"


def test_a_flood_from_many_places_makes_it_dear_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    for number in range(1_000):
        door.register(number, f"10.{number % 250}.{number // 250}.1", at=number * 0.1)
    assert door.refused == 0
    assert door.paid[-1] == MOST_BITS
    assert door.register(5_000, "198.51.100.1", at=WINDOW_SECONDS + 101.0) == 0


def test_challenges_that_were_fetched_while_they_were_cheap_are_no_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a flood pays the first price for all that it can solve in ten minutes."""
    door = Door(monkeypatch)
    for number in range(32):
        door.register(number, f"10.{number}.0.1")
    stock = {}
    for number in range(100, 700):
        asked = door.entrance.admit(identity(number).public_key, f"10.{number % 250}.9.1", b"", NOW, 1.0)
        assert asked is not None
        assert asked.bits == FIRST_BITS
        stock[number] = encode(WorkSolution(asked, 0))
    let_in = 0
    for number, work in stock.items():
        owner, address = identity(number), f"10.{number % 250}.9.1"
        dearer = door.entrance.admit(owner.public_key, address, work, NOW, 2.0)
        if dearer is None:
            member, _ = door.registry.accept(descriptor(owner, door.network, NOW), network_prefix(address), NOW, 2.0)
            door.entrance.came(member, address, 2.0, is_new=True)
            let_in += 1
        else:
            assert dearer.bits > FIRST_BITS
    assert let_in < 128, "as many as come until the price has doubled twice"
