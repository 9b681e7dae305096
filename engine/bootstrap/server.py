"""The server: HTTP for what everybody may read, one WebSocket per node for signaling and publishing.

``run_server`` serves a directory that ``init_network`` made. Nothing about a single node is logged: no addresses, no
ids, no payloads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from engine.bootstrap import limits
from engine.bootstrap.configuration import OperatorConfiguration, client_address, load_configuration
from engine.bootstrap.door import ENDED, Door
from engine.bootstrap.http import HttpSide
from engine.bootstrap.init import Network, load_network
from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.metrics import Metrics
from engine.bootstrap.registry import Registry
from engine.bootstrap.sessions import Session, log_in
from engine.bootstrap.store import DATABASE_FILE, Store
from engine.bootstrap.turn import IceIssuer, TurnAccess, turn_access
from engine.clock import Clock, SystemClock
from engine.directory.delta import DirectoryHistory, make_step
from engine.directory.descriptor import digest
from engine.directory.genesis import GenesisRecord
from engine.directory.heads import head_of
from engine.directory.prefix import counting_key, network_prefix
from engine.directory.snapshot import ChainPoint, beacons_of
from engine.directory.statements import check_statement
from engine.errors import ConfigurationError, DirectoryError, StorageError
from engine.ids import NodeId
from engine.lifeline import run_on_loop, stop_with_parent
from engine.storage.data_directory import acquire_lock
from engine.wire.codec import Message
from engine.wire.link import DirectoryHash
from engine.wire.records import DeltaStep, Signed, SignedSnapshot, snapshot_decoder
from engine.wire.signaling import (
    DirectoryChanged,
    Expelled,
    IceRequest,
    NodeMessage,
    Publish,
    Published,
    Refused,
    Signal,
    SignalFailed,
)

logger = logging.getLogger("engine.bootstrap")
LOCK_FILE = "bootstrap.lock"
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
        self.sessions: dict[NodeId, Session] = {}
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
        self._connections: Counter[str] = Counter()
        self._changed = asyncio.Event()

    # -------------------------------------------------------------------------------------------------- WebSocket

    def admit(self, request: web.Request) -> str:
        """The address that this connection counts for; ``ConnectionRefusedError`` says why there is no room."""
        forwarded = request.headers.get("X-Forwarded-For", "")
        address = client_address(request.remote or "", forwarded, self.configuration.trusted_proxies)
        if self._connections.total() >= self.configuration.maximum_connections:
            self.metrics.refused_connections.labels("server full").inc()
            raise ConnectionRefusedError("The server is full. Try again later.")
        if self._connections[counting_key(address)] >= self.configuration.maximum_connections_per_address:
            self.metrics.refused_connections.labels("address full").inc()
            raise ConnectionRefusedError("There are too many connections from your address.")
        return address

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        """One node from its connection to its end."""
        try:
            address = self.admit(request)
        except (ConnectionRefusedError, DirectoryError) as error:  # the latter: gone before its address could be read
            return web.Response(status=503, text=f"{error}\n")
        key = counting_key(address)
        self._connections[key] += 1
        try:
            socket = web.WebSocketResponse(max_msg_size=limits.MAXIMUM_MESSAGE, compress=False, timeout=2.0)
            await socket.prepare(request)
            login = await log_in(
                socket, self.network.server, self.network.network_id, os.urandom(32), self.clock, address, self.door
            )
            self.metrics.logins.labels("refused" if login is None else "accepted").inc()
            if login is not None:

                def is_gone() -> bool:
                    return request.transport is None or request.transport.is_closing()

                await self._serve(Session(socket, login, address, self.clock, self._dispatch, is_gone))
            return socket
        finally:
            self._connections[key] -= 1
            if not self._connections[key]:
                del self._connections[key]

    async def _serve(self, session: Session) -> None:
        if self.registry.statements.ended(session.node_id):
            session.cut("this identity was revoked or replaced; it is over")
        older = self.sessions.get(session.node_id)
        if older is not None:
            older.cut("another login with the same identity has replaced this one")
        self.sessions[session.node_id] = session
        self.registry.heard(session.node_id, self.clock.monotonic())
        first: list[Message] = []
        if self.door is not None:
            if not self.door.is_member(session.node_id):
                session.cut(ENDED)
            first += self.door.greeting()
        first += [self._announcement()] if self.registry.point.epoch else []
        first += self.registry.away_marks(self.clock.wall())
        try:
            await session.run(first)
        finally:
            if self.sessions.get(session.node_id) is session:
                del self.sessions[session.node_id]
                self.registry.dropped(session.node_id, self.clock.monotonic())
            if session.end_reason:
                self.metrics.cut_sessions.labels(session.end_reason.split("(")[0].split(":")[0][:60]).inc()

    async def _dispatch(self, session: Session, message: NodeMessage) -> None:
        self.metrics.messages.labels(type(message).__name__).inc()
        self.registry.heard(session.node_id, self.clock.monotonic())
        match message:
            case Signal():
                self._relay(session, message)
            case Publish():
                await self._publish(session, message)
            case IceRequest():
                self._tell_ice(session)
            case _:
                pass  # a keep-alive has been heard, and that is all it is for

    def _tell_ice(self, session: Session) -> None:
        wall, monotonic = self.clock.wall(), self.clock.monotonic()
        answer = self._ice.issue(session.node_id, counting_key(session.address), session.ice_bucket, wall, monotonic)
        self.metrics.ice_answers.labels("refused" if answer.problem else "given").inc()
        session.send(answer)

    def _relay(self, session: Session, message: Signal) -> None:
        peer = self.sessions.get(NodeId(message.peer))
        delivered = False
        reason = "the node is not online"
        if peer is not None and peer is not session:
            delivered = peer.send(Signal(peer=session.node_id, payload=message.payload))
            reason = "the node takes messages too slowly"
        self.metrics.signals.labels("delivered" if delivered else "failed").inc()
        if not delivered:
            session.send(SignalFailed(peer=message.peer, reason=reason))

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
                member, _ = self.registry.accept(message.descriptor, prefix, wall, monotonic)
            if member is not None:
                await self._store.save_member(member)
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
        if self.history.newest is None:
            try:
                await self._make_snapshot()
            except StorageError as error:
                self._storage_failed(error)

    async def keep_directory(self) -> None:
        """Make snapshots when they are due and send marks and announcements, for ever."""
        while True:
            wall, monotonic = self.clock.wall(), self.clock.monotonic()
            for mark in self.registry.tick(wall, monotonic):
                self._broadcast(mark)
            if self.registry.due(wall, monotonic):
                try:
                    await self._make_snapshot()
                except StorageError as error:
                    self._storage_failed(error)
                    await asyncio.sleep(STORAGE_RETRY_SECONDS)
            self._measure()
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._changed.wait()
                    # Publications come in crowds; one snapshot serves them all.
                    await asyncio.sleep(min(0.05, self.network.genesis.parameters.snapshot_seconds))

    async def watch_door(self) -> None:
        """In a private network: carry out what the operator decides about its members, for ever."""
        if self.door is not None:
            await self.door.watch(self._expel, self._broadcast)

    async def _expel(self, node: NodeId, told: Expelled) -> None:
        """End the session and the listing of who is a member no longer, and tell the others."""
        session = self.sessions.get(node)
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
        self._broadcast(told)

    async def _make_snapshot(self) -> None:
        wall, before = self.clock.wall(), self.history.newest
        make, content = self.registry.build(wall)

        def work() -> tuple[SignedSnapshot, ChainPoint, DeltaStep | None]:
            signed, point = make()
            return signed, point, make_step(before.record, signed.record) if before is not None else None

        # A large directory takes a moment; signaling must not wait for it.
        signed, point, step = await asyncio.to_thread(work)
        forget = self.registry.forgettable(wall)
        # On disk before anybody sees it: after a crash the chain goes on from what was shown.
        await self._store.save_snapshot(signed, point, forget)
        self.registry.forget(forget, wall)
        self.registry.commit(point, content, self.clock.monotonic())
        self.history.append(signed, step)
        self.snapshot_made = self.clock.monotonic()
        self.storage_works = True
        self._broadcast(self._announcement())

    async def take_statement(self, signed: Signed) -> None:
        """Take a revocation or succession from whoever brings it: it is signed. :class:`DirectoryError` or
        :class:`StorageError` says why not."""
        if not self.statement_bucket.take(self.clock.monotonic()):
            raise DirectoryError("too many such statements are coming in; try again in a minute")
        wall = self.clock.wall()
        statement, heir = self.registry.state(signed, wall)
        await self._store.save_statement(statement, heir, int(wall))
        session = self.sessions.get(statement.node_id)
        if session is not None:
            session.cut("this identity is over")
        self._changed.set()

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
            "sessions": len(self.sessions),
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

    def _broadcast(self, message: Message) -> None:
        for session in list(self.sessions.values()):
            session.send(message)

    def _storage_failed(self, error: StorageError) -> None:
        self.storage_works = False
        self.metrics.storage_failures.inc()
        logger.error("%s", error)

    def _measure(self) -> None:
        listed, away = self.registry.counts(self.clock.wall())
        self.metrics.sessions.set(len(self.sessions))
        self.metrics.listed.set(listed)
        self.metrics.away.set(away)
        self.metrics.epoch.set(self.registry.point.epoch)
        self.metrics.directory_bytes.set(len(self.history.newest.record) if self.history.newest else 0)

    def end_sessions(self) -> None:
        """The server stops: tell everybody, so that they come back later."""
        for session in self.sessions.values():
            session.cut("the server is stopping")


async def run_server(
    data: Path,
    host: str = "127.0.0.1",
    port: int = 8900,
    *,
    started: Callable[[str], None] | None = None,
    clock: Clock | None = None,
    turn_urls: tuple[str, ...] = (),
    turn_secret_file: Path | None = None,
) -> None:
    """Serve the network in ``data`` until cancelled.

    ``port`` 0 takes a free one. ``started`` hears the address with the network id, as ``--bootstrap`` wants it, once
    connections are taken. ``turn_urls`` and ``turn_secret_file`` win over the settings. Raises ``ConfigurationError``
    (no network in ``data``, address in use, wrong settings),
    ``DataDirectoryLockedError`` (another server runs on ``data``) or ``StorageError``.
    """
    clock = clock or SystemClock()
    network = load_network(data)
    configuration = load_configuration(data, loopback=network.genesis.parameters.allow_loopback)
    turn = turn_access(configuration, turn_urls, turn_secret_file, os.environ)
    with acquire_lock(data / LOCK_FILE, clock):
        store = await Store.open(data / DATABASE_FILE)
        try:
            members, point, snapshot = await store.load()
            statements = [
                (check_statement(signed, network.network_id, accepted), accepted)
                for signed, accepted in await store.load_statements()
            ]
            registry = Registry(
                network.genesis,
                network.server,
                point,
                members,
                clock.monotonic(),
                configuration.maximum_nodes,
                beacons=None if snapshot is None else beacons_of(snapshot_decoder.decode(snapshot.record)),
                statements=statements,
            )
            server = BootstrapServer(network, configuration, store, registry, snapshot, clock, turn)
            await _serve(server, host, port, started)
        finally:
            store.close()


async def _serve(server: BootstrapServer, host: str, port: int, started: Callable[[str], None] | None) -> None:
    side = HttpSide(server)
    await server.prepare()
    try:
        try:
            bound = await side.start(host, port)
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a host name at all
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"Cannot listen on {host} port {port} ({reason}). Is another server running there?"
                " Choose another address with --host and --port."
            ) from error
        shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        logger.info("serving network %s", server.network.network_id.hex())
        async with asyncio.TaskGroup() as group:
            group.create_task(server.keep_directory())
            group.create_task(server.watch_door())
            if started is not None:
                started(f"http://{shown}:{bound}#{server.network.network_id.hex()}")
    finally:
        server.end_sessions()
        await side.stop()


def serve(
    data: Path,
    host: str,
    port: int,
    *,
    started: Callable[[str], None] | None = None,
    turn_urls: tuple[str, ...] = (),
    turn_secret_file: Path | None = None,
) -> None:
    """:func:`run_server` on the fastest loop there is, until Ctrl-C or SIGTERM; both end it cleanly."""

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        stop_with_parent(task.cancel)
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):  # a shell script's "&" would have it ignore SIGINT
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await run_server(data, host, port, started=started, turn_urls=turn_urls, turn_secret_file=turn_secret_file)

    with contextlib.suppress(KeyboardInterrupt):
        run_on_loop(main())
