"""This machine's place in the committee: taken when a certified block names its key, left when one names it no more,
while the engine runs. Between the two there is a :class:`~engine.node.committee_presence.CommitteePresence`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.errors import ConfigurationError, StorageError
from engine.ids import NodeId
from engine.node.committee_presence import CommitteePresence
from engine.sentences import said_by, say
from engine.verification.chain.standings import CheckedStandings
from engine.wire.blocks import CommitteeMessage

logger = logging.getLogger(__name__)
Make = Callable[[int], CommitteePresence]
"""``StorageError`` or ``ConfigurationError`` where there can be none; see ``CommitteeRole`` for ``outside_at``."""


class CommitteeSeat:
    """Own it with :meth:`run`. ``standings`` are the newest that this presence believes; :meth:`look` says that they,
    or the directory, are others."""

    def __init__(
        self,
        identity: Identity,
        genesis: GenesisRecord,
        make: Make,
        standings: Callable[[], CheckedStandings | None],
    ) -> None:
        self._key = identity.public_key
        self._newest: tuple[int, tuple[bytes, ...]] = (0, genesis.genesis.committee_keys)
        self._make = make
        self._standings = standings
        self._directory: Directory | None = None
        self._outside_at = -1
        self._news = asyncio.Event()
        self.presence: CommitteePresence | None = None
        self.changed: Callable[[], None] = lambda: None
        """Whom to keep linked with is another question now."""
        self.notice: Callable[[str], None] = logger.warning

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot from now on."""
        self._directory = directory
        if self.presence is not None:
            self.presence.update_directory(directory)

    def neighbours(self) -> frozenset[NodeId]:
        """The other members, while this is one."""
        return self.presence.role.neighbours() if self.presence is not None else frozenset()

    def heard(self, peer: NodeId, message: CommitteeMessage) -> None:
        """A message of a linked node; nobody listens while this is no member."""
        if self.presence is not None:
            self.presence.role.heard(peer, message)

    def look(self) -> None:
        """Something may have changed."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while not self._is_member():
                await self._wait()
            try:
                presence = self._make(self._outside_at)
            except (StorageError, ConfigurationError) as error:
                self.notice(say("committee.no_part", problem=said_by(error)))
                return
            await self._take_part(presence)

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _take_part(self, presence: CommitteePresence) -> None:
        """Until this is no member any more."""
        self.presence = presence
        presence.role.members_changed = self._members_changed
        if self._directory is not None:
            presence.update_directory(self._directory)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(presence.run())
                while self._is_member():
                    await self._wait()
                running.cancel()
        finally:
            self.presence = None
        self.notice(say("committee.left"))
        self.changed()

    def _members_changed(self) -> None:
        self._news.set()
        self.changed()

    def _is_member(self) -> bool:
        """By the newest certified block that was ever heard of here; before the first one by the genesis."""
        standings = self._standings()
        if standings is not None and standings.height > self._newest[0]:
            self._newest = (standings.height, standings.members)
        if self.presence is not None and self.presence.role.state.height > self._newest[0]:
            self._newest = (self.presence.role.state.height, self.presence.role.state.members)
        height, members = self._newest
        if self._key in members:
            return True
        if height:  # of the genesis alone nothing follows: blocks may have named the key before this run
            self._outside_at = height
        return False
