"""A place in the committee is taken when a certified block names the key, and left when one names it no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType, SimpleNamespace
from typing import Any

from engine.errors import StorageError
from engine.node.committee_seat import CommitteeSeat
from engine.verification.chain.standings import CheckedStandings, CommitteeAt
from tests.support.judging import Judging, judging
from tests.support.records import identity

NEW = identity(70)


class Presence:
    """As much of one as a seat sees."""

    def __init__(self, members: tuple[bytes, ...], outside_at: int) -> None:
        self.outside_at = outside_at
        self.role: Any = SimpleNamespace(
            state=SimpleNamespace(height=0, members=members),
            members_changed=lambda: None,
            neighbours=lambda: frozenset({identity(1).node_id}),
            heard=self._heard,
        )
        self.messages: list[object] = []
        self.ended = False

    def _heard(self, peer: object, message: object) -> None:
        self.messages.append(message)

    def update_directory(self, directory: object) -> None:
        raise AssertionError("there is no directory here")

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


class Seat:
    """A seat with what it is shown."""

    def __init__(self, key: Any) -> None:
        self.network: Judging = judging(4)
        self.standings: CheckedStandings | None = None
        self.made: list[Presence] = []
        self.notices: list[str] = []
        self.changes = 0
        self.seat = CommitteeSeat(key, self.network.genesis, self._make, lambda: self.standings)
        self.seat.notice, self.seat.changed = self.notices.append, self._changed

    def _changed(self) -> None:
        self.changes += 1

    def _make(self, outside_at: int) -> Presence:
        self.made.append(Presence(self.network.state.members, outside_at))
        return self.made[-1]

    def show(self, height: int, members: tuple[bytes, ...]) -> None:
        """The directory's newest standings."""
        self.standings = CheckedStandings(
            height=height,
            epoch=height,
            issued=0,
            digest=bytes(32),
            committee=CommitteeAt(members),
            nodes=MappingProxyType({}),
        )
        self.seat.look()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.seat.run())
            await turns()
            yield
            task.cancel()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_is_named_later_begins_then_and_knows_that_it_has_signed_nothing_before() -> None:
    it = Seat(NEW)
    message: Any = object()
    async with it.running():
        it.seat.heard(identity(1).node_id, message)
        assert (it.made, it.seat.neighbours()) == ([], frozenset())
        it.show(5, it.network.state.members)
        await turns()
        assert it.made == []
        it.show(6, (*it.network.state.members, NEW.public_key))
        await turns()
        (presence,) = it.made
        assert presence.outside_at == 5
        it.seat.heard(identity(1).node_id, message)
        assert presence.messages == [message]
        assert it.seat.neighbours() == {identity(1).node_id}
        presence.role.state = SimpleNamespace(height=3, members=it.network.state.members)  # it catches up
        it.seat.look()
        await turns()
        assert not presence.ended, "blocks of long ago do not say who is a member now"
    assert presence.ended


async def test_who_is_named_no_more_ends_and_may_come_back() -> None:
    it = Seat(judging(4).members[0])
    async with it.running():
        (presence,) = it.made
        assert presence.outside_at == -1, "it may have signed before this run"
        members = it.network.state.members
        presence.role.state = SimpleNamespace(height=7, members=members[1:])
        presence.role.members_changed()
        await turns()
        assert presence.ended
        assert it.seat.presence is None
        assert "a verifier no longer" in it.notices[0]
        it.show(9, members)
        await turns()
        assert len(it.made) == 2
        assert it.made[1].outside_at == 7
    assert it.changes >= 2


async def test_who_has_seen_no_block_without_its_key_cannot_know_what_it_has_signed() -> None:
    it = Seat(NEW)
    async with it.running():
        it.show(6, (*it.network.state.members, NEW.public_key))
        await turns()
        assert it.made[0].outside_at == -1


async def test_without_a_usable_disk_the_node_goes_on_without_and_says_so() -> None:
    it = Seat(judging(4).members[0])

    def refuse(outside_at: int) -> Any:
        raise StorageError("The disk is full.")

    it.seat._make = refuse
    async with it.running():
        assert it.seat.presence is None
    assert it.notices == ["This machine takes no part in the committee. The disk is full."]
