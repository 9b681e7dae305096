"""The server that signs the directory: one WebSocket per node for signaling and publishing, and snapshots.

Nothing about a single node is logged: no addresses, no ids, no payloads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence

from aiohttp import web

from engine.bootstrap import limits
from engine.bootstrap.chain.answers import ChainService
from engine.bootstrap.chain.batch_store import BatchStore
from engine.bootstrap.chain.blocks import Blocks
from engine.bootstrap.chain.intake import Intake
from engine.bootstrap.chain.samples import Samples, SampleStore
from engine.bootstrap.chain.service import ServerChain
from engine.bootstrap.chain.store import ChainStore
from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.connections import Connections
from engine.bootstrap.door import ENDED, Door
from engine.bootstrap.entrance import Entrance
from engine.bootstrap.exchange import Exchange
from engine.bootstrap.init import Network
from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.manifest_store import ManifestStore
from engine.bootstrap.manifests import ServerManifests
from engine.bootstrap.metrics import Metrics
from engine.bootstrap.registry import Member, Registry
from engine.bootstrap.sessions import Session, log_in, make_challenge
from engine.bootstrap.store import Store
from engine.bootstrap.turn import IceIssuer, TurnAccess
from engine.clock import Clock
from engine.directory.delta import DirectoryHistory, make_step
from engine.directory.descriptor import digest
from engine.directory.genesis import GenesisRecord
from engine.directory.heads import head_of
from engine.directory.mirrors import make_permit
from engine.directory.prefix import counting_key, network_prefix
from engine.directory.snapshot import ChainPoint
from engine.directory.statements import Statement
from engine.errors import BootstrapUnreachableError, DirectoryError, StorageError, VerificationError
from engine.ids import NodeId
from engine.wire.codec import Message
from engine.wire.link import DirectoryHash
from engine.wire.receipts import LeafOpening, OpeningWanted
from engine.wire.records import DeltaStep, Signed, SignedSnapshot
from engine.wire.signaling import (
    DirectoryChanged,
    Expelled,
    IceRequest,
    Login,
    NodeMessage,
    Publish,
    Published,
    Refused,
    Signal,
)

logger = logging.getLogger("engine.bootstrap")
TICK_SECONDS = 1.0
STORAGE_RETRY_SECONDS = 5.0


class BootstrapServer:
    """All state of a running server."""

    def __init__(
        self,
        network: Network,
        configuration: OperatorConfiguration,
        store: Store,
        registry: Registry,
        snapshot: SignedSnapshot | None,
        clock: Clock,
        turn: TurnAccess | None = None,
    ) -> None:
        self.network = network
        self.configuration = configuration
        self.registry = registry
        self.metrics = Metrics()
        self.exchange = Exchange(self, self.metrics, clock)
        self.history = DirectoryHistory()
        if snapshot is not None:
            self.history.append(snapshot)
        self.statement_bucket = TokenBucket(limits.STATEMENT_RATE, limits.STATEMENT_BURST, clock.monotonic())
        self.snapshot_made = clock.monotonic()
        self.storage_works = True
        self.clock = clock
        self._store = store
        self._ice = IceIssuer(configuration, turn)
        private = network.genesis.parameters.invited_only
        self.door = Door(network.server, network.network_id, store, clock) if private else None
        self._connections = Connections(configuration, self.metrics)
        one_machine = network.genesis.parameters.allow_loopback
        self.entrance = Entrance(network.network_id, configuration, registry, os.urandom(32), one_machine=one_machine)
        self.manifests: ChainService = ServerManifests(
            ManifestStore(store),
            network.server.sign("manifest-sources", network.network_id),
            clock,
            self._storage_failed,
            one_machine=one_machine,
        )
        self.chain: ChainService | None = None
        self._intake: Intake | None = None
        self._blocks: Blocks | None = None
        if network.genesis.genesis.committee_keys:
            records, batches = ChainStore(store), BatchStore(store)
            self._blocks = blocks = Blocks(network.genesis, records, clock, self._appended)
            self._intake = intake = Intake(network, records, batches, blocks, self, self.metrics, clock)
            samples = Samples(SampleStore(store), lambda: blocks.state, self.is_known, clock)
            self.chain = ServerChain(
                intake, blocks, samples, self.metrics, clock, self._storage_failed, one_machine=one_machine
            )
        self._changed = asyncio.Event()
        self._unsaved: dict[NodeId, tuple[Statement, Member | None, int]] = {}  # statements that the disk has not got

    # -------------------------------------------------------------------------------------------------- WebSocket

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        """One node from its connection to its end."""
        return await self._connections.serve(request, self.exchange.serve)

    async def log_in(self, socket: web.WebSocketResponse, address: str) -> Login | None:
        """See ``Host``."""
        challenge = make_challenge(self.network.server, self.network.network_id, os.urandom(32))
        return await log_in(socket, self.network.server, challenge, self.clock, address, self.door)

    def entered(self, session: Session) -> Sequence[Message]:
        """See ``Host``."""
        if self.registry.statements.ended(session.node_id):
            session.cut("this identity was revoked or replaced; it is over")
        self.registry.heard(session.node_id, self.clock.monotonic())
        first: list[Message] = []
        if self.door is not None:
            if not self.door.is_member(session.node_id):
                session.cut(ENDED)
            first += self.door.greeting()
        first += [self._announcement()] if self.registry.point.epoch else []
        return [*first, *self.registry.away_marks(self.clock.wall())]

    def left(self, session: Session) -> None:
        """See ``Host``."""
        self.registry.dropped(session.node_id, self.clock.monotonic())

    async def take(self, session: Session, message: NodeMessage) -> None:
        """See ``Host``."""
        self.metrics.messages.labels(type(message).__name__).inc()
        self.registry.heard(session.node_id, self.clock.monotonic())
        match message:
            case Signal():
                self.exchange.relay(session, message)
            case Publish():
                await self._publish(session, message)
            case IceRequest():
                self._tell_ice(session)
            case LeafOpening():
                await self._take_opening(session, message)
            case _:
                pass  # a keep-alive has been heard, and that is all it is for

    async def _take_opening(self, session: Session, message: LeafOpening) -> None:
        try:
            if self._intake is not None:
                await self._intake.take_opening(session.node_id, session.identity_key, message)
        except StorageError as error:
            self._storage_failed(error)
        except VerificationError as error:
            session.send(Refused(reason=str(error)[:300], fatal=False))

    async def _tell_wanted(self, session: Session) -> None:
        """Who was away when somebody wanted to see a receipt hears of it now."""
        if self._intake is not None:
            for wanted in await self._intake.wanted_of(session.node_id):
                session.send(wanted)

    async def _replay(self, blocks: Blocks) -> None:
        try:
            await blocks.replay()
        except StorageError as error:  # the directory is served all the same
            self._storage_failed(error)

    def _appended(self, height: int) -> None:
        """Readers hear of a new block by the next snapshot, at once."""
        self.metrics.chain_height.set(height)
        self.registry.chain_height = height
        self.registry.hurry()
        self._changed.set()

    def is_known(self, node_id: NodeId) -> bool:
        """See ``chain.intake.Server``."""
        return node_id in self.registry.members

    def tell(self, node_id: NodeId, wanted: OpeningWanted) -> None:
        """See ``chain.intake.Server``."""
        session = self.exchange.get(node_id)
        if session is not None:
            session.send(wanted)

    def address_of(self, request: web.Request) -> str:
        """The address that a request counts for."""
        return self._connections.address_of(request)

    def _tell_ice(self, session: Session) -> None:
        wall, monotonic = self.clock.wall(), self.clock.monotonic()
        answer = self._ice.issue(session.node_id, counting_key(session.address), session.ice_bucket, wall, monotonic)
        self.metrics.ice_answers.labels("refused" if answer.problem else "given").inc()
        session.send(answer)

    async def _publish(self, session: Session, message: Publish) -> None:
        try:
            if session.client_only:
                raise DirectoryError("you logged in as a pure client; those publish nothing")
            if not session.publish_bucket.take(self.clock.monotonic()):
                raise DirectoryError("you publish too often; wait a few seconds")
            if message.descriptor.key != session.identity_key:
                raise DirectoryError("you may publish only your own descriptor")
            if message.withdraw:
                member = self.registry.withdraw(session.node_id)
            else:
                wall, monotonic = self.clock.wall(), self.clock.monotonic()
                prefix = network_prefix(session.address)
                asked = self.entrance.admit(session.identity_key, session.address, message.work, wall, monotonic)
                if asked is not None:
                    self.metrics.publications.labels("asked for work").inc()
                    session.send(asked)
                    return
                is_new = session.node_id not in self.registry.members
                member, _ = self.registry.accept(message.descriptor, prefix, wall, monotonic)
                self.entrance.came(member, session.address, monotonic, is_new=is_new)
            if member is not None:
                await self._store.save_member(member)
            if not message.withdraw:
                await self._tell_wanted(session)
        except (DirectoryError, StorageError) as error:
            reason = str(error)
            if isinstance(error, StorageError):
                self._storage_failed(error)
                reason = "the server could not store it; try again later"
            self.metrics.publications.labels("refused").inc()
            session.send(Refused(reason=reason[:300], fatal=False))
            return
        self.metrics.publications.labels("withdrawn" if message.withdraw else "accepted").inc()
        session.send(Published(digest=digest(message.descriptor)))
        self._changed.set()

    # -------------------------------------------------------------------------------------------------- directory

    async def prepare(self) -> None:
        """Make the first snapshot of a new network, so that nobody is told to come back for it."""
        if self._intake is not None:
            self.registry.chain_height = await self._intake.store.height()
        if self.history.newest is None:
            try:
                await self._make_snapshot()
            except StorageError as error:
                self._storage_failed(error)

    async def keep(self) -> None:
        """Until cancelled: the directory, and in a private network what the operator decides about its members."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_directory())
            if self._blocks is not None:
                group.create_task(self._replay(self._blocks))
            if self.door is not None:
                group.create_task(self.door.watch(self._expel, self.exchange.broadcast))

    async def _keep_directory(self) -> None:
        """Make snapshots when they are due and send marks and announcements, for ever."""
        looked = float("-inf")
        while True:
            wall, monotonic = self.clock.wall(), self.clock.monotonic()
            if monotonic - looked >= TICK_SECONDS:  # publications come more often, and this goes through everybody
                looked = monotonic
                for mark in self.registry.tick(wall, monotonic):
                    self.exchange.broadcast(mark)
                self._measure()
            if self.registry.due(wall, monotonic):
                try:
                    await self._make_snapshot()
                except StorageError as error:
                    self._storage_failed(error)
                    await asyncio.sleep(STORAGE_RETRY_SECONDS)
            self._changed.clear()
            # What came too soon after the last snapshot is in the next one as soon as that may be made.
            wait = self.registry.open_in(self.clock.monotonic()) or TICK_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, TICK_SECONDS)):
                    await self._changed.wait()
                    # Publications come in crowds; one snapshot serves them all.
                    await asyncio.sleep(min(0.05, self.network.genesis.parameters.snapshot_seconds))

    async def _expel(self, node: NodeId, told: Expelled) -> None:
        """End the session and the listing of who is a member no longer, and tell the others."""
        session = self.exchange.get(node)
        if session is not None:
            session.cut(ENDED)
        member = self.registry.withdraw(node)
        if member is not None:
            try:
                await self._store.save_member(member)
            except StorageError as error:
                self._storage_failed(error)
            self.registry.hurry()
            self._changed.set()
        self.exchange.broadcast(told)

    async def _make_snapshot(self) -> None:
        wall, before = self.clock.wall(), self.history.newest
        await self._save_statements()
        make, content = self.registry.build(wall)

        def work() -> tuple[SignedSnapshot, ChainPoint, DeltaStep | None]:
            signed, point = make()
            return signed, point, make_step(before.record, signed.record) if before is not None else None

        # A large directory takes a moment; signaling must not wait for it.
        signed, point, step = await asyncio.to_thread(work)
        forget = self.registry.forgettable(wall)
        # On disk before anybody sees it: after a crash the chain goes on from what was shown.
        await self._store.save_snapshot(signed, point, forget, step)
        self.registry.forget(forget, wall)
        self.registry.commit(point, content, self.clock.monotonic())
        self.history.append(signed, step)
        self.snapshot_made = self.clock.monotonic()
        self.storage_works = True
        self.exchange.broadcast(self._announcement())

    async def take_statement(self, signed: Signed) -> None:
        """Take a revocation or succession from whoever brings it: it is signed. :class:`DirectoryError` says why it is
        refused for good; with :class:`StorageError` or :class:`BootstrapUnreachableError` it is to be brought again."""
        wall = self.clock.wall()
        if signed not in [statement.signed for statement, _, _ in self._unsaved.values()]:
            statement = self.registry.check_statement(signed, wall)
            # Only what is true counts, so that nobody's nonsense keeps others from ending a stolen identity.
            if not self.statement_bucket.take(self.clock.monotonic()):
                raise BootstrapUnreachableError("too many such statements are coming in; try again in a minute")
            heir = self.registry.take_statement(statement, wall)
            self._unsaved[statement.node_id] = (statement, heir, int(wall))
            session = self.exchange.get(statement.node_id)
            if session is not None:
                session.cut("this identity is over")
            self._changed.set()
        try:
            await self._save_statements()
        except StorageError as error:
            self._storage_failed(error)
            raise

    async def _save_statements(self) -> None:
        """What the disk would not take goes before the next snapshot, which shows it."""
        for name in tuple(self._unsaved):
            if name in self._unsaved:  # somebody else may have saved it meanwhile
                await self._store.save_statement(*self._unsaved[name])
                self._unsaved.pop(name, None)

    def head(self) -> DirectoryHash | None:
        """The signed head of the newest snapshot."""
        newest = self.history.newest
        return None if newest is None else head_of(newest, self.registry.point.epoch)

    def health(self) -> tuple[bool, dict[str, object]]:
        """Whether all is well, and what an operator wants to see."""
        listed, away = self.registry.counts(self.clock.wall())
        healthy = self.history.newest is not None and self.storage_works
        return healthy, {
            "epoch": self.registry.point.epoch,
            "directory_age_s": round(self.clock.monotonic() - self.snapshot_made, 1),
            "listed": listed,
            "away": away,
            "sessions": len(self.exchange),
            "storage": "ok" if self.storage_works else "the database refuses writes; see the log",
        }

    async def look(self) -> None:
        """Nothing to look at: the newest directory is made here."""

    @property
    def genesis(self) -> GenesisRecord:
        """The network's."""
        return self.network.genesis

    def _announcement(self) -> DirectoryChanged:
        return DirectoryChanged(epoch=self.registry.point.epoch, digest=self.registry.point.digest)

    def _storage_failed(self, error: StorageError) -> None:
        self.storage_works = False
        self.metrics.storage_failures.inc()
        logger.error("%s", error)

    def _measure(self) -> None:
        listed, away = self.registry.counts(self.clock.wall())
        self.metrics.sessions.set(len(self.exchange))
        self.metrics.listed.set(listed)
        self.metrics.away.set(away)
        self.metrics.epoch.set(self.registry.point.epoch)
        self.metrics.directory_bytes.set(len(self.history.newest.record) if self.history.newest else 0)

    def permit(self, mirror_key: bytes) -> Signed | None:
        """For a mirror that the operator wants."""
        if mirror_key.hex() not in self.configuration.mirrors:
            return None
        return make_permit(self.network.server, self.network.network_id, mirror_key, self.clock.wall())

    def end_sessions(self) -> None:
        """The server stops: tell everybody, so that they come back later."""
        self.exchange.end("the server is stopping")
