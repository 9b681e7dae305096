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
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from engine.clock import Clock, SystemClock
from engine.crypto.identity import Identity
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.descriptor import digest
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.invite import Invitation, check_expulsion
from engine.directory.login import check_welcome, make_login
from engine.directory.marks import AwayMarks, check_mark
from engine.directory.mirrors import check_challenge
from engine.directory.snapshot import LAST_GOOD_SECONDS
from engine.errors import (
    BootstrapUnreachableError,
    DirectoryError,
    GenTorrentError,
    LoginRefusedError,
    SignatureError,
    StorageError,
    WireError,
)
from engine.ids import NetworkId, NodeId
from engine.transport.bootstrap_http import CONNECT_SECONDS, http_session, network_errors, send_statement
from engine.transport.bootstrap_state import BootstrapAddress, BootstrapState, Phase, parse_bootstrap
from engine.transport.directory_keeper import DirectoryKeeper
from engine.transport.ice_servers import OfferedServers, usable_servers
from engine.transport.saved_invitation import load_invitation
from engine.transport.server_choice import FIRST_BACKOFF, LAST_BACKOFF, ServerChoice
from engine.transport.signaling import MAXIMUM_SIGNAL_LENGTH, SignalHandler
from engine.wire.codec import Message, encode
from engine.wire.link import DirectoryHash
from engine.wire.records import Signed, SignedSnapshot, descriptor_decoder
from engine.wire.signaling import (
    Challenge,
    DirectoryChanged,
    Expelled,
    IceRequest,
    IceServers,
    KeepAlive,
    Marked,
    Publish,
    Published,
    ReadingKey,
    Refused,
    Signal,
    SignalFailed,
    Welcome,
    server_message_decoder,
)

KEEPALIVE_SECONDS = 15.0
HEARTBEAT_SECONDS = 20.0
QUEUE_LENGTH = 1_024
MAXIMUM_MESSAGE = 65_536
PUBLISH_RETRY_SECONDS = 5.0
PUBLISH_GAP_SECONDS = 1.0
ICE_RETRY_SECONDS = 300.0
ICE_SECONDS = 6 * 3600.0
WITHDRAW_SECONDS = 2.0
POLL_SECONDS = 60.0
COMPARE_SECONDS = 600.0
"""About so often another server is asked what directory it shows."""
RETURN_SECONDS = 300.0
"""About so often a server that is not the first choice is left if the first one answers again."""
BEHIND_SECONDS = 90.0
"""A server that still shows an older directory than others so long after theirs was seen is left."""
FROZEN_SECONDS = 1800.0
"""A directory this old while connected: the server signs at least every 600 s."""
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
        self._identity = identity
        self._clock = clock or SystemClock()
        self._client_only = client_only
        self._software = software
        self._on_directory = on_directory
        self._on_state = on_state
        self._on_ice = on_ice
        self._on_expelled = on_expelled
        self._data = data
        self._on_notice = on_notice
        self._random_bytes = random_bytes
        self._keeper = DirectoryKeeper(urls[0], network_id, data, self._clock, on_notice)
        self._is_linked = is_linked
        self._statement: Callable[[NetworkId, float], Signed | None] = lambda *_: None
        self._statement_told: Callable[[], None] = _nothing
        self._doubting = False
        self._lasting_warning = ""
        self._marks = AwayMarks()
        self._handler: SignalHandler | None = None
        self._source: Callable[[], Signed] | None = None
        self._withdrawing = False
        self._last_published: Signed | None = None
        self._publish_now = asyncio.Event()
        self._answered = asyncio.Event()
        self._fetch_now = asyncio.Event()
        self._again = asyncio.Event()
        self._queue: asyncio.Queue[Message] | None = None
        self._ice = asyncio.Event()
        self.ice = OfferedServers()
        self.observed = ""  # this machine's address as the server sees it
        self.directory: Directory | None = None
        self.state = BootstrapState()

    # ------------------------------------------------------------------------------------------------- for the owner

    @property
    def genesis(self) -> GenesisRecord | None:
        """The network's genesis once it is known (pinned on disk or fetched)."""
        return self._keeper.genesis

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
        self._fetch_now.set()

    @property
    def head(self) -> DirectoryHash | None:
        """The signed head of the directory in use, for neighbours to compare."""
        return self._keeper.head()

    def heard_head(self, head: DirectoryHash) -> None:
        """A neighbour shows this head; a contradiction is kept as proof and told by ``on_notice``."""
        self._keeper.hear(head)

    def announce(self, source: Callable[[NetworkId, float], Signed | None], told: Callable[[], None]) -> None:
        """A succession to bring to the server once this node is published there, as long as ``source`` (of network and
        time) has one; ``told`` when the server has it, or will never want it. It may raise ``StorageError``."""
        self._statement, self._statement_told = source, told

    def load(self) -> None:
        """Read the pinned genesis and the last good directory from disk now (``run`` does so, too).

        Raises ``StorageError`` or ``DirectoryError`` only if the pinned genesis itself cannot be used.
        """
        directory = self._keeper.load()
        if directory is not None:
            self._show(directory)

    def publish(self, source: Signed | Callable[[], Signed]) -> None:
        """Publish a descriptor and keep it published: after each reconnect and, where ``source`` makes a new one, at
        half of its life. Call it again when the content changes."""
        self._source = (lambda: source) if isinstance(source, Signed) else source
        self._withdrawing = False
        self._publish_now.set()

    async def withdraw(self) -> bool:
        """Leave politely: True if the server confirmed within two seconds that the node is no longer listed."""
        self._source = None
        if not self.connected or self._last_published is None:
            return False
        self._withdrawing = True
        self._answered.clear()
        if not self._put(Publish(descriptor=self._last_published, withdraw=True)):
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHDRAW_SECONDS):
                await self._answered.wait()
        return self._answered.is_set() and self._queue is not None and not self.state.published

    def reconnect(self) -> None:
        """Connect anew at once: this machine's network is another one, so the connection may be dead without a sign."""
        self._again.set()

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
                self._show(directory)
        except (StorageError, DirectoryError) as error:
            self._set(phase=Phase.REFUSED, reason=str(error))
        while True:
            self._again.clear()
            began, refused = self._clock.monotonic(), False
            try:
                await self._connect_once(self._servers.current)
            except (LoginRefusedError, DirectoryError, SignatureError) as error:
                self._set(phase=Phase.REFUSED, reason=str(error), published=False)
                refused = True
            except _PreferredAnswersError:
                self._servers.go_back()
                continue
            except (BootstrapUnreachableError, StorageError, WireError) as error:
                self._set(phase=Phase.UNREACHABLE, reason=self._unreachable(error), published=False)
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
                    skew = await self._log_in(socket, genesis)
                await self._serve(session, url, socket, genesis, skew)

    async def _log_in(self, socket: aiohttp.ClientWebSocketResponse, genesis: GenesisRecord) -> float:
        """The server's clock minus ours, in seconds."""
        challenge = await _receive(socket)
        if not isinstance(challenge, Challenge):
            raise LoginRefusedError(_refusal(challenge))
        check_challenge(challenge, genesis.genesis.server_keys, genesis.network_id, self._clock.wall())
        login = make_login(
            self._identity,
            challenge,
            self._random_bytes(32),
            self._clock.wall(),
            client_only=self._client_only,
            software=self._software,
            invitation=self._invitation(genesis),
        )
        await socket.send_bytes(encode(login))
        welcome = await _receive(socket)
        if not isinstance(welcome, Welcome):
            raise LoginRefusedError(_refusal(welcome))
        check_welcome(welcome, challenge, login)
        self.observed = welcome.observed
        return welcome.wall - self._clock.wall()

    def _invitation(self, genesis: GenesisRecord) -> Invitation | None:
        """What this machine was invited with; ``LoginRefusedError`` where one is needed and none is here."""
        if not genesis.parameters.invited_only:
            return None
        invitation = load_invitation(self._data, genesis.network_id)
        if invitation is None:
            raise LoginRefusedError(
                f'The network "{genesis.genesis.name}" is private: only who is invited is admitted. Ask its operator'
                " for an invitation, and start once with --join INVITATION."
            )
        return invitation

    async def _serve(
        self,
        session: aiohttp.ClientSession,
        url: str,
        socket: aiohttp.ClientWebSocketResponse,
        genesis: GenesisRecord,
        skew: float,
    ) -> None:
        self._queue = asyncio.Queue(QUEUE_LENGTH)
        self._keeper.reading_key = b""
        self._marks.clear()  # the server sends those that hold now
        self._fetch_now.set()
        self._lasting_warning = self._elsewhere()
        if abs(skew) > CLOCK_SKEW_SECONDS / 4:
            direction = "behind" if skew > 0 else "ahead"
            self._lasting_warning = f"This computer's clock is {abs(skew):.0f} s {direction}. Set it."
        self._set(phase=Phase.CONNECTED, reason="", clock_skew=skew, published=False, warning=self._lasting_warning)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(socket, genesis))
                group.create_task(self._write(socket, self._queue))
                group.create_task(self._keep_alive())
                group.create_task(self._keep_published(session, url))
                group.create_task(self._keep_ice())
                group.create_task(self._keep_directory(session, url))
                group.create_task(self._compare_servers(session))
                if self._servers.preferred is not None:
                    group.create_task(self._return_to(session, self._servers.preferred))
                group.create_task(self._end_when_told())
                # Waiting in the group's exit instead, Python 3.11 would not undo its own cancellation of this task.
                await asyncio.Event().wait()
        except BaseExceptionGroup as failures:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A group loses a cancellation that meets a failing child, as when both sides stop at once.
                raise asyncio.CancelledError from None
            # One connection ends for one reason; a fault of our own must not hide behind it.
            known, others = failures.split((GenTorrentError, aiohttp.ClientError, OSError, TimeoutError))
            if others is not None or known is None:
                raise
            raise _first(known) from None
        finally:
            self._queue = None
            self._answered.set()  # nobody will: who waits looks whether there still is a connection

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, genesis: GenesisRecord) -> None:
        while True:
            message = await _receive(socket)
            match message:
                case Signal():
                    if self._handler is not None:
                        self._handler.on_signal(NodeId(message.peer), message.payload)
                case SignalFailed():
                    if self._handler is not None:
                        self._handler.on_signal_failed(NodeId(message.peer), message.reason)
                case DirectoryChanged():
                    if self.directory is None or message.digest != self.directory.digest:
                        self._fetch_now.set()
                case Marked():
                    check_mark(genesis, message.mark, message.key, message.signature)
                    if self._marks.add(message.mark) and self.directory is not None:
                        self._show(self.directory)
                case Published():
                    self._confirm(message)
                case Refused():
                    if message.fatal:
                        raise LoginRefusedError(_refusal(message))
                    self._set(published=False, warning=f"The server refused the descriptor: {message.reason}.")
                    self._answered.set()
                case IceServers():
                    self._take_ice(message)
                case Expelled():
                    keys = genesis.genesis.server_keys
                    self._on_expelled(
                        check_expulsion(message.expulsion, message.key, message.signature, keys, genesis.network_id)
                    )
                case ReadingKey():
                    self._keeper.reading_key = message.key
                    self._fetch_now.set()
                case KeepAlive():
                    pass
                case _:
                    raise WireError("the server sent a message of the login after it")

    def _confirm(self, message: Published) -> None:
        if self._last_published is not None and message.digest == digest(self._last_published):
            self._set(published=not self._withdrawing, warning=self._lasting_warning)
            self._answered.set()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse, queue: asyncio.Queue[Message]) -> None:
        while True:
            message = await queue.get()
            async with asyncio.timeout(CONNECT_SECONDS):
                await socket.send_bytes(encode(message))

    async def _end_when_told(self) -> None:
        await self._again.wait()
        raise BootstrapUnreachableError("this computer's network has changed")

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_SECONDS)
            self._put(KeepAlive())

    async def _keep_published(self, session: aiohttp.ClientSession, url: str) -> None:
        while True:
            delay: float | None = None
            self._publish_now.clear()
            if self._source is not None:
                self._last_published = self._source()
                self._answered.clear()
                self._put(Publish(descriptor=self._last_published))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        await self._answered.wait()
                delay = self._half_life() if self.state.published else PUBLISH_RETRY_SECONDS
                if self.state.published:
                    await self._bring_statement(session, url)
                await asyncio.sleep(PUBLISH_GAP_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._publish_now.wait()

    def _half_life(self) -> float:
        if self._last_published is None:
            return PUBLISH_RETRY_SECONDS
        descriptor = descriptor_decoder.decode(self._last_published.record)
        middle = (descriptor.issued + descriptor.expires) / 2
        return max(PUBLISH_RETRY_SECONDS, middle - self._clock.wall())

    async def _bring_statement(self, session: aiohttp.ClientSession, url: str) -> None:
        """Tell the server whose place this node takes, if it takes somebody's."""
        genesis = self._keeper.genesis
        statement = self._statement(genesis.network_id, self._clock.wall()) if genesis is not None else None
        if statement is None:
            return
        try:
            async with network_errors():
                await send_statement(session, url, statement)
            self._on_notice("The network knows that this node's new identity takes the place of its old one.")
            self._statement_told()
        except DirectoryError as error:
            # It was told before, or the old identity never was listed: there is nothing to inherit.
            self._on_notice(f"The server did not take the change of this node's identity: {error}.")
            self._statement_told()
        except (BootstrapUnreachableError, StorageError) as error:
            self._set(warning=f"The change of this node's identity could not be told: {error}")

    async def _keep_directory(self, session: aiohttp.ClientSession, url: str) -> None:
        """Fetch when told and every minute; a failure here costs only freshness, not the connection."""
        backoff = FIRST_BACKOFF
        behind_since: float | None = None
        told = ""
        while True:
            delay = POLL_SECONDS
            self._fetch_now.clear()
            if self._keeper.closed:  # the server says with its first words what opens it
                await self._fetch_now.wait()
                continue
            try:
                async with network_errors():
                    directory = await self._keeper.fetch(session, url)
                if directory is not None:
                    self._marks.keep_only(directory)
                    self._show(directory)
                backoff = FIRST_BACKOFF
                if told and self.state.warning == told:
                    self._set(warning=self._lasting_warning)
                behind_since = self._check_freshness(behind_since)
            except (DirectoryError, WireError) as error:
                told = str(error)
                self._set(warning=told)
            except (BootstrapUnreachableError, StorageError) as error:
                told = f"The directory could not be fetched: {error}"
                self._set(warning=told)
                delay, backoff = backoff, min(POLL_SECONDS, backoff * 2)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._fetch_now.wait()

    def _check_freshness(self, behind_since: float | None) -> float | None:
        """Since when others have shown a newer directory than this server does (None: they do not).
        ``LoginRefusedError``, which sends us to the next server, when that has lasted for too long."""
        now = self._clock.monotonic()
        if self._keeper.is_behind:
            if behind_since is not None and now - behind_since > BEHIND_SECONDS:
                raise LoginRefusedError(
                    f"The server {self._servers.current} keeps showing an old directory, while others have a newer one"
                    " that is signed by this network. It is stuck, or holds news back; do not rely on it alone."
                )
            return behind_since if behind_since is not None else now
        age = self._clock.wall() - self.directory.issued if self.directory is not None else 0.0
        if age > FROZEN_SECONDS:
            self._set(
                warning=f"The server has shown no new directory for {age / 60:.0f} minutes, though it should every 10."
                " It is stuck, or holds news back. Tell its operator."
            )
        return None

    async def _compare_servers(self, session: aiohttp.ClientSession) -> None:
        """Ask the other servers now and then what directory they show."""
        while self._servers.others:
            for url in self._servers.others:
                with contextlib.suppress(BootstrapUnreachableError, WireError):
                    async with network_errors():
                        await self._keeper.compare(session, url)
            await asyncio.sleep(self._servers.spread(COMPARE_SECONDS))

    async def _return_to(self, session: aiohttp.ClientSession, url: str) -> None:
        """Leave this server when the preferred one answers again."""
        while True:
            await asyncio.sleep(self._servers.spread(RETURN_SECONDS))
            with contextlib.suppress(BootstrapUnreachableError, WireError):
                async with network_errors():
                    await self._keeper.compare(session, url)
                raise _PreferredAnswersError("the preferred server answers again")

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
            self._set(warning=f"The bootstrap server gave no password for its TURN server: {message.problem}.")
        self.ice = usable_servers(message.servers, float(message.expires or "inf"))
        self._ice.set()
        self._on_ice(self.ice)

    # --------------------------------------------------------------------------------------------------------- helpers

    def _put(self, message: Message) -> bool:
        if self._queue is None or not self.connected:
            return False
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True

    def _show(self, directory: Directory) -> None:
        self.directory = directory.with_away(self._marks.believed(directory, self._is_linked))
        doubting = self._marks.too_many(directory, self._is_linked)
        if doubting != self._doubting:
            self._doubting = doubting
            text = "The server says that most nodes are away at once; this is not believed, and they are tried."
            self._set(warning=text if doubting else self._lasting_warning)
        self._on_directory(self.directory)

    def _set(self, **changes: Any) -> None:
        state = replace(self.state, **changes)
        if state != self.state:
            self.state = state
            self._on_state(state)

    def _elsewhere(self) -> str:
        preferred = self._servers.preferred
        if preferred is None:
            return ""
        return f"The bootstrap server {preferred} does not answer, so {self._servers.current} is used until it does."

    def _unreachable(self, error: GenTorrentError) -> str:
        text = f"The bootstrap server {self._servers.current} cannot be reached ({error})."
        if self.directory is None:
            return f"{text} Nothing can be joined without it. Check the address and this computer's connection."
        age = (self._clock.wall() - self.directory.issued) / 3600
        if age * 3600 > LAST_GOOD_SECONDS:
            self.directory = None
            return f"{text} The last directory is {age:.0f} h old and no longer trusted, so nothing new can be started."
        return f"{text} The last directory, {age:.1f} h old, stays in use for up to 24 h; trying again."


class _PreferredAnswersError(BootstrapUnreachableError):
    """The connection is given up for a better one."""


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message; ``BootstrapUnreachableError`` when the connection is over, ``WireError`` for garbage."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.BINARY:
        return server_message_decoder.decode(message.data)
    if message.type is aiohttp.WSMsgType.TEXT:
        raise WireError("the server sent text")
    raise BootstrapUnreachableError("the connection was closed")


def _refusal(message: Any) -> str:
    if isinstance(message, Refused):
        return f"The bootstrap server refused this node: {message.reason}."
    return "The bootstrap server does not follow the login protocol. Is the address right?"


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
