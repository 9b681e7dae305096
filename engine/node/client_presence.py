"""The presence of an engine's client identity: guards and anonymous paths, owned by one ``run``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.guards import Retired
from engine.errors import StorageError
from engine.ids import NetworkId, NodeId, short_id
from engine.node.keys import NodeKeys
from engine.node.overlay_client import OverlayClient
from engine.node.presence import Membership, Presence
from engine.node.saved_guards import load_guards, save_guards
from engine.sentences import said_by, say
from engine.transport.bootstrap_state import Phase

SAVE_GUARDS_SECONDS = 600.0
"""The guard list is written when it changes, and this often for its times and counts."""


class ClientPresence(Presence):
    """Guards and anonymous paths under the client identity, which serves for nothing else."""

    def __init__(self, membership: Membership, keys: NodeKeys) -> None:
        super().__init__(membership, keys.client_identity, client_only=True)
        self._own = (keys.identity.node_id, keys.client_identity.node_id)
        self._saved_guards: list[NodeId] = []
        self._saved_at = -SAVE_GUARDS_SECONDS
        self.client: OverlayClient | None = None
        self.network_id: NetworkId | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.bootstrap.run())
                genesis = await self.genesis()
                await self.reachable(genesis)
                client = self._assemble(genesis)
                assert self.mesh is not None
                tasks.create_task(self.mesh.run())
                tasks.create_task(client.loop.run())
                tasks.create_task(self.follow_standings(genesis, client.update_standings))
                await asyncio.Event().wait()
        finally:
            if self.client is not None:
                self._save_guards(self.client, self._membership.clock.monotonic())
            self.mesh = self.client = self.standings = None
            self.end()

    def _assemble(self, genesis: GenesisRecord) -> OverlayClient:
        parameters = genesis.genesis.parameters
        client = OverlayClient(
            genesis.network_id,
            parameters,
            self._own,
            self._membership.clock,
            os.urandom,
            load_guards(self._guards_path(genesis.network_id)),
            self._membership.accepted,
            committee=bool(genesis.genesis.committee_keys),
        )
        client.guard_retired = self._guard_retired
        mesh = self.make_mesh(genesis.network_id, parameters, client)
        client.sender, client.want, client.changed = mesh, mesh.want, self._membership.changed
        client.heard_head = self.bootstrap.heard_head
        client.refused = lambda: self.bootstrap.state.reason if self.bootstrap.state.phase is Phase.REFUSED else ""
        self.client, self.network_id = client, genesis.network_id
        if self.bootstrap.directory is not None:
            self.directory_changed(self.bootstrap.directory)
        return client

    def directory_changed(self, directory: Directory) -> None:
        """Keep the guard list, on disk too: changing guards at every start would meet a hostile one soon."""
        if self.client is None:
            return
        self.client.update_directory(directory)
        now = self._membership.clock.monotonic()
        if self.client.guards != self._saved_guards or now > self._saved_at + SAVE_GUARDS_SECONDS:
            self._save_guards(self.client, now)

    def _save_guards(self, client: OverlayClient, now: float) -> None:
        if self.network_id is None:
            return
        self._saved_guards, self._saved_at = client.guards, now
        try:
            save_guards(self._guards_path(self.network_id), client.guard_list.state)
        except StorageError as error:
            self._membership.notice(say("guards.not_saved", problem=said_by(error)))

    def _guard_retired(self, retired: Retired) -> None:
        self._membership.notice(
            say(
                "guards.retired",
                relay=short_id(retired.node_id),
                failures=retired.failures,
                paths=retired.paths,
                usual=f"{retired.usual:.0%}",
            )
        )

    def _guards_path(self, network_id: NetworkId) -> Path:
        return self._membership.networks / network_id.hex() / "guards.json"
