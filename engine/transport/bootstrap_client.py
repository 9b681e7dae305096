"""A node's side of the bootstrap servers: login, publishing, the verified directory, signaling.

The server is trusted with delivery and, without a committee, with the directory that it signs; everything it says is
checked against the pinned genesis. When it is away the last good directory stays in use for 24 h and the client keeps
coming back. An unreachable server is a state with a reason, never an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from engine.clock import Clock, SystemClock
from engine.crypto.identity import Identity
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.invite import check_expulsion
from engine.directory.snapshot import LAST_GOOD_SECONDS
from engine.errors import (
    BootstrapUnreachableError,
    DirectoryError,
    GenTorrentError,
    LoginRefusedError,
    SignatureError,
    StorageError,
    WireError,
    first_failure,
)
from engine.ids import NetworkId, NodeId
from engine.sentences import said_by, say, together
from engine.transport.bootstrap_http import CONNECT_SECONDS, fetch, http_session, network_errors
from engine.transport.bootstrap_login import Account, log_in, receive, refusal
from engine.transport.bootstrap_state import BootstrapAddress, BootstrapState, Phase, Status, parse_bootstrap
from engine.transport.chain_http import send_record
from engine.transport.directory_follower import DirectoryFollower, PreferredAnswersError
from engine.transport.directory_keeper import DirectoryKeeper
from engine.transport.ice_servers import OfferedServers, usable_servers
from engine.transport.publisher import Publisher
from engine.transport.server_choice import FIRST_BACKOFF, LAST_BACKOFF, ServerChoice
from engine.transport.signaling import MAXIMUM_SIGNAL_LENGTH, SignalHandler
from engine.wire.codec import Message, encode
from engine.wire.link import DirectoryHash
from engine.wire.receipts import LeafOpening, OpeningWanted, WorkChallenge
from engine.wire.records import Signed, SignedSnapshot
from engine.wire.signaling import (
    DirectoryChanged,
    Expelled,
    IceRequest,
    IceServers,
    KeepAlive,
    Marked,
    Published,
    ReadingKey,
    Refused,
    Signal,
    SignalFailed,
)

KEEPALIVE_SECONDS = 15.0
HEARTBEAT_SECONDS = 20.0
QUEUE_LENGTH = 1_024
MAXIMUM_MESSAGE = 65_536
ICE_RETRY_SECONDS = 300.0
ICE_SECONDS = 6 * 3600.0
STABLE_SECONDS = 30.0
"""A connection that held this long starts the next backoff from the beginning."""
__all__ = ["BootstrapAddress", "BootstrapClient", "BootstrapState", "Phase", "parse_bootstrap"]


def _nothing(*_: Any) -> None:
    """The callback of who does not listen."""


class BootstrapClient:
    """One identity at the servers of its network, at one of them at a time. Implements ``SignalingPort``.

    Callbacks run on the event loop and must not block.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        network_id: NetworkId | None,
        identity: Identity,
        *,
        data: Path,
        clock: Clock | None = None,
        client_only: bool = False,
        software: str = "",
        on_directory: Callable[[Directory], None] = _nothing,
        on_state: Callable[[BootstrapState], None] = _nothing,
        on_notice: Callable[[str], None] = _nothing,
        on_ice: Callable[[OfferedServers], None] = _nothing,
        on_expelled: Callable[[NodeId], None] = _nothing,
        is_linked: Callable[[NodeId], bool] = lambda _: False,
        random_bytes: Callable[[int], bytes] = os.urandom,
        last_backoff: float = LAST_BACKOFF,
    ) -> None:
        """``url``: the servers in order of preference. ``data`` is the folder for networks
        (``DataDirectory.networks``); two clients may share it. ``is_linked``: whom we have a link with; no mark makes
        them absent.

        Nothing is read or sent before :meth:`run`. ``on_notice`` hears sentences that the user should see once.
        """
        urls = (url,) if isinstance(url, str) else tuple(url)
        self._servers = ServerChoice(urls, random_bytes, last_backoff)
        self._clock = clock or SystemClock()
        self._account = Account(identity, data, self._clock, client_only, software, random_bytes)
        self._on_ice = on_ice
        self._on_expelled = on_expelled
        self._status = Status(on_state, self._clock.wall)
        self._keeper = DirectoryKeeper(urls[0], network_id, data, self._clock, on_notice)
        self._publisher = Publisher(self._status, self._clock, lambda: self._keeper.genesis, self._put, on_notice)
        self._follower = DirectoryFollower(
            self._keeper, self._servers, self._status, self._clock, on_directory, is_linked
        )
        self._handler: SignalHandler | None = None
        self.on_opening_wanted: Callable[[OpeningWanted], None] = _nothing
        self._again = asyncio.Event()
        self._queue: asyncio.Queue[Message] | None = None
        self._ice = asyncio.Event()
        self.ice = OfferedServers()
        self.observed = ""  # this machine's address as the server sees it

    # ------------------------------------------------------------------------------------------------- for the owner

    @property
    def genesis(self) -> GenesisRecord | None:
        """The network's genesis once it is known (pinned on disk or fetched)."""
        return self._keeper.genesis

    @property
    def state(self) -> BootstrapState:
        """How it stands with the servers."""
        return self._status.state

    @property
    def directory(self) -> Directory | None:
        """The directory in use, with the marks that are believed."""
        return self._follower.directory

    @property
    def connected(self) -> bool:
        return self.state.phase is Phase.CONNECTED

    @property
    def server(self) -> str:
        """The address of the server that is used or tried now."""
        return self._servers.current

    @property
    def signed(self) -> SignedSnapshot | None:
        """The directory in use as its server signed it, without the marks."""
        return self._keeper.signed

    def look_again(self) -> None:
        """There is news: fetch the directory now, if it is another one."""
        self._follower.fetch_now.set()

    @property
    def head(self) -> DirectoryHash | None:
        """The signed head of the directory in use, for neighbours to compare."""
        return self._keeper.head()

    def heard_head(self, head: DirectoryHash) -> None:
        """A neighbour shows this head; a contradiction is kept as proof and told by ``on_notice``."""
        self._keeper.hear(head)

    def announce(self, source: Callable[[NetworkId, float], Signed | None], told: Callable[[], None]) -> None:
        """See ``Publisher``."""
        self._publisher.announce(source, told)

    def publish(self, source: Signed | Callable[[], Signed], *, at_once: bool = False) -> None:
        """See ``Publisher``."""
        self._publisher.publish(source, at_once=at_once)

    async def read(self, path: str, limit: int) -> bytes:
        """The server's answer to a GET of ``path``, at most ``limit`` bytes; ``BootstrapUnreachableError`` or
        ``WireError`` if it cannot be had."""
        async with network_errors(), http_session() as session:
            found = await fetch(session, self.server, path, limit, self._keeper.reading_key)
        if found is None:
            raise BootstrapUnreachableError(f"it has nothing new at {path}, which nobody asked")
        return found

    async def bring(self, path: str, data: bytes) -> bytes:
        """The server's answer to a POST of ``data``; errors as of ``send_record``."""
        async with http_session() as session:
            return await send_record(session, self.server, path, data, self._keeper.reading_key)

    async def withdraw(self) -> bool:
        """See ``Publisher``."""
        return await self._publisher.withdraw()

    def load(self) -> None:
        """Read the pinned genesis and the last good directory from disk now (``run`` does so, too).

        Raises ``StorageError`` or ``DirectoryError`` only if the pinned genesis itself cannot be used.
        """
        directory = self._keeper.load()
        if directory is not None:
            self._follower.show(directory)

    def reconnect(self) -> None:
        """Connect anew at once: this machine's network is another one, so the connection may be dead without a sign."""
        self._again.set()

    def show(self, opening: LeafOpening) -> bool:
        """Show the server a receipt that it has asked for; False if it is not here now."""
        return self._put(opening)

    def attach(self, handler: SignalHandler) -> None:
        """See ``SignalingPort``."""
        self._handler = handler

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        """See ``SignalingPort``."""
        return len(payload) <= MAXIMUM_SIGNAL_LENGTH and self._put(Signal(peer=peer, payload=payload))

    async def run(self) -> None:
        """Stay connected until cancelled. Whatever the server does is a state, never an exception."""
        try:
            directory = await asyncio.to_thread(self._keeper.load)  # a large directory takes a moment
            if directory is not None:
                self._follower.show(directory)
        except (StorageError, DirectoryError) as error:
            self._status.set(phase=Phase.REFUSED, reason=said_by(error))
        while True:
            self._again.clear()
            began, refused = self._clock.monotonic(), False
            try:
                await self._connect_once(self._servers.current)
            except (LoginRefusedError, DirectoryError, SignatureError) as error:
                self._status.set(phase=Phase.REFUSED, reason=said_by(error), published=False)
                refused = True
            except PreferredAnswersError:
                self._servers.go_back()
                continue
            except (BootstrapUnreachableError, StorageError, WireError) as error:
                self._status.set(phase=Phase.UNREACHABLE, reason=self._unreachable(error), published=False)
            if self._clock.monotonic() - began > STABLE_SECONDS:
                self._servers.worked()
            delay = self._servers.failed(refused)
            if self._again.is_set():  # another network: the first choice may work now
                self._servers.go_back()
                delay = self._servers.spread(FIRST_BACKOFF)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._again.wait()

    # ------------------------------------------------------------------------------------------------ one connection

    async def _connect_once(self, url: str) -> None:
        """From connecting to the end of the connection, which is always an error of the project's tree."""
        async with http_session() as session:
            async with network_errors():
                genesis = await self._keeper.ensure_genesis(session, url)
            async with network_errors(), contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(CONNECT_SECONDS):
                    socket = await stack.enter_async_context(
                        session.ws_connect(
                            f"{url}/v1/signaling",
                            max_msg_size=MAXIMUM_MESSAGE,
                            heartbeat=HEARTBEAT_SECONDS,
                            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                        )
                    )
                    welcome = await log_in(self._account, socket, genesis)
                    self.observed = welcome.observed
                    skew = welcome.wall - self._clock.wall()
                await self._serve(session, url, socket, genesis, skew)

    async def _serve(
        self,
        session: aiohttp.ClientSession,
        url: str,
        socket: aiohttp.ClientWebSocketResponse,
        genesis: GenesisRecord,
        skew: float,
    ) -> None:
        self._queue = asyncio.Queue(QUEUE_LENGTH)
        self._follower.connected()
        self._status.lasting = self._elsewhere()
        if abs(skew) > CLOCK_SKEW_SECONDS / 4:
            code = "server.clock_behind" if skew > 0 else "server.clock_ahead"
            self._status.lasting = say(code, seconds=round(abs(skew)))
        self._status.set(
            phase=Phase.CONNECTED, reason="", clock_skew=skew, published=False, warning=self._status.lasting
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(socket, genesis))
                group.create_task(self._write(socket, self._queue))
                group.create_task(self._keep_alive())
                group.create_task(self._publisher.keep(session, url))
                group.create_task(self._keep_ice())
                group.create_task(self._follower.keep(session, url))
                group.create_task(self._follower.compare_servers(session))
                if self._servers.preferred is not None:
                    group.create_task(self._follower.return_to(session, self._servers.preferred))
                group.create_task(self._end_when_told())
                # Waiting in the group's exit instead, Python 3.11 would not undo its own cancellation of this task.
                await asyncio.Event().wait()
        except BaseExceptionGroup:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A group loses a cancellation that meets a failing child, as when both sides stop at once.
                raise asyncio.CancelledError from None
            # One connection ends for one reason; a fault of our own must not hide behind it.
            with first_failure((GenTorrentError, aiohttp.ClientError, OSError, TimeoutError)):
                raise
        finally:
            self._queue = None
            self._publisher.disconnected()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, genesis: GenesisRecord) -> None:
        while True:
            message = await receive(socket)
            match message:
                case Signal():
                    if self._handler is not None:
                        self._handler.on_signal(NodeId(message.peer), message.payload)
                case SignalFailed():
                    if self._handler is not None:
                        self._handler.on_signal_failed(NodeId(message.peer), message.reason)
                case DirectoryChanged():
                    self._follower.changed(message)
                case Marked():
                    self._follower.marked(genesis, message)
                case Published():
                    self._publisher.confirmed(message)
                case Refused():
                    if message.fatal:
                        raise LoginRefusedError(refusal(message))
                    self._publisher.refused(message)
                case IceServers():
                    self._take_ice(message)
                case Expelled():
                    keys = genesis.genesis.server_keys
                    self._on_expelled(
                        check_expulsion(message.expulsion, message.key, message.signature, keys, genesis.network_id)
                    )
                case ReadingKey():
                    self._follower.opened(message.key)
                case WorkChallenge():
                    self._publisher.challenged(message)
                case OpeningWanted():
                    self.on_opening_wanted(message)
                case KeepAlive():
                    pass
                case _:
                    raise WireError("the server sent a message of the login after it")

    async def _write(self, socket: aiohttp.ClientWebSocketResponse, queue: asyncio.Queue[Message]) -> None:
        while True:
            message = await queue.get()
            async with asyncio.timeout(CONNECT_SECONDS):
                await socket.send_bytes(encode(message))

    async def _end_when_told(self) -> None:
        await self._again.wait()
        raise BootstrapUnreachableError(say("server.network_changed"))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_SECONDS)
            self._put(KeepAlive())

    async def _keep_ice(self) -> None:
        """Ask which STUN and TURN servers there are, and again before the passwords expire."""
        while True:
            self._ice.clear()
            self._put(IceRequest())
            delay = ICE_RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._ice.wait()
                    left = (self.ice.expires - self._clock.wall()) / 2
                    delay = min(ICE_SECONDS, max(ICE_RETRY_SECONDS, left))
            await asyncio.sleep(delay)

    def _take_ice(self, message: IceServers) -> None:
        if message.problem:
            self._status.set(warning=f"The bootstrap server gave no password for its TURN server: {message.problem}.")
        self.ice = usable_servers(message.servers, float(message.expires or "inf"))
        self._ice.set()
        self._on_ice(self.ice)

    def _put(self, message: Message) -> bool:
        if self._queue is None or not self.connected:
            return False
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True

    def _elsewhere(self) -> str:
        preferred = self._servers.preferred
        if preferred is None:
            return ""
        return say("server.other", preferred=str(preferred), current=str(self._servers.current))

    def _unreachable(self, error: GenTorrentError) -> str:
        text = say("server.unreachable", server=str(self._servers.current), error=said_by(error))
        if self.directory is None:
            return together(text, say("server.nothing"))
        age = (self._clock.wall() - self.directory.issued) / 3600
        if age * 3600 > LAST_GOOD_SECONDS:
            self._follower.directory = None
            return together(text, say("server.too_old", hours=round(age)))
        return together(text, say("server.in_use", hours=round(age, 1)))
