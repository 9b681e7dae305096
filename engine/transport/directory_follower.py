"""Following the network's directory while connected, and comparing it with what other servers show."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp

from engine.clock import Clock
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.marks import AwayMarks, check_mark
from engine.errors import BootstrapUnreachableError, DirectoryError, LoginRefusedError, StorageError, WireError
from engine.ids import NodeId
from engine.sentences import said_by, say
from engine.transport.bootstrap_http import network_errors
from engine.transport.bootstrap_state import Status
from engine.transport.directory_keeper import DirectoryKeeper
from engine.transport.server_choice import FIRST_BACKOFF, ServerChoice
from engine.wire.signaling import DirectoryChanged, Marked

POLL_SECONDS = 60.0
COMPARE_SECONDS = 600.0
"""About so often another server is asked what directory it shows."""
RETURN_SECONDS = 300.0
"""About so often a server that is not the first choice is left if the first one answers again."""
BEHIND_SECONDS = 90.0
"""A server that still shows an older directory than others so long after theirs was seen is left."""
FROZEN_SECONDS = 1800.0
"""A directory this old while connected: the server signs at least every 600 s."""


class PreferredAnswersError(BootstrapUnreachableError):
    """The connection is given up for a better one."""


class DirectoryFollower:
    """``is_linked``: whom we have a link with; no mark makes them absent."""

    def __init__(
        self,
        keeper: DirectoryKeeper,
        servers: ServerChoice,
        status: Status,
        clock: Clock,
        on_directory: Callable[[Directory], None],
        is_linked: Callable[[NodeId], bool],
    ) -> None:
        self.keeper = keeper
        self._servers = servers
        self._status = status
        self._clock = clock
        self._on_directory = on_directory
        self._is_linked = is_linked
        self._doubting = False
        self._marks = AwayMarks()
        self.fetch_now = asyncio.Event()
        self.directory: Directory | None = None

    def connected(self) -> None:
        """A new connection: the server sends the marks that hold now, and what opens a private network's directory."""
        self.keeper.reading_key = b""
        self._marks.clear()
        self.fetch_now.set()

    def opened(self, reading_key: bytes) -> None:
        """The directory of a private network can be read with this from now on."""
        self.keeper.reading_key = reading_key
        self.fetch_now.set()

    def changed(self, message: DirectoryChanged) -> None:
        """The server has a newer one."""
        if self.directory is None or message.digest != self.directory.digest:
            self.fetch_now.set()

    def marked(self, genesis: GenesisRecord, message: Marked) -> None:
        """The server says who is away; ``DirectoryError`` if it did not sign that."""
        check_mark(genesis, message.mark, message.key, message.signature)
        if self._marks.add(message.mark) and self.directory is not None:
            self.show(self.directory)

    def show(self, directory: Directory) -> None:
        """Use it from now on, with the marks that are believed."""
        self.directory = directory.with_away(self._marks.believed(directory, self._is_linked))
        doubting = self._marks.too_many(directory, self._is_linked)
        if doubting != self._doubting:
            self._doubting = doubting
            text = "The server says that most nodes are away at once; this is not believed, and they are tried."
            self._status.set(warning=text if doubting else self._status.lasting)
        self._on_directory(self.directory)

    async def keep(self, session: aiohttp.ClientSession, url: str) -> None:
        """Fetch when told and every minute; a failure here costs only freshness, not the connection."""
        backoff = FIRST_BACKOFF
        behind_since: float | None = None
        told = ""
        while True:
            delay = POLL_SECONDS
            self.fetch_now.clear()
            if self.keeper.closed:  # the server says with its first words what opens it
                await self.fetch_now.wait()
                continue
            try:
                async with network_errors():
                    directory = await self.keeper.fetch(session, url)
                if directory is not None:
                    self._marks.keep_only(directory)
                    self.show(directory)
                backoff = FIRST_BACKOFF
                if told and self._status.state.warning == told:
                    self._status.set(warning=self._status.lasting)
                behind_since = self._check_freshness(behind_since)
            except (DirectoryError, WireError) as error:
                told = said_by(error)
                self._status.set(warning=told)
            except (BootstrapUnreachableError, StorageError) as error:
                told = say("directory.not_fetched", problem=said_by(error))
                self._status.set(warning=told)
                delay, backoff = backoff, min(POLL_SECONDS, backoff * 2)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self.fetch_now.wait()

    def _check_freshness(self, behind_since: float | None) -> float | None:
        """Since when others have shown a newer directory than this server does (None: they do not).
        ``LoginRefusedError``, which sends us to the next server, when that has lasted for too long."""
        now = self._clock.monotonic()
        if self.keeper.is_behind:
            if behind_since is not None and now - behind_since > BEHIND_SECONDS:
                raise LoginRefusedError(say("server.stale", server=self._servers.current))
            return behind_since if behind_since is not None else now
        age = self._clock.wall() - self.directory.issued if self.directory is not None else 0.0
        if age > FROZEN_SECONDS:
            self._status.set(warning=say("server.frozen", minutes=round(age / 60)))
        return None

    async def compare_servers(self, session: aiohttp.ClientSession) -> None:
        """Ask the other servers now and then what directory they show."""
        while self._servers.others:
            for url in self._servers.others:
                with contextlib.suppress(BootstrapUnreachableError, WireError):
                    async with network_errors():
                        await self.keeper.compare(session, url)
            await asyncio.sleep(self._servers.spread(COMPARE_SECONDS))

    async def return_to(self, session: aiohttp.ClientSession, url: str) -> None:
        """Leave this server when the preferred one answers again."""
        while True:
            await asyncio.sleep(self._servers.spread(RETURN_SECONDS))
            with contextlib.suppress(BootstrapUnreachableError, WireError):
                async with network_errors():
                    await self.keeper.compare(session, url)
                raise PreferredAnswersError("the preferred server answers again")
