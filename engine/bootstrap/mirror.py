"""A mirror of a network's bootstrap server.

While that server answers, the mirror hands out the directory that the server signed and passes each node's connection
through to it. While it does not, nodes log in here: the mirror introduces them to each other by the last directory, and
lists nobody new. It signs nothing that anybody believes, except that it is the mirror which the server permits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from engine.bootstrap.chain.answers import ChainService
from engine.bootstrap.chain.passing import PassedChain
from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.connections import Connections
from engine.bootstrap.door import Door
from engine.bootstrap.exchange import Exchange
from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.metrics import Metrics
from engine.bootstrap.permits import Permit
from engine.bootstrap.sessions import Session, log_in, make_challenge
from engine.bootstrap.tunnel import open_behind, pass_through
from engine.bootstrap.turn import IceIssuer, TurnAccess
from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.delta import DirectoryHistory, make_step
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.heads import head_of
from engine.directory.prefix import counting_key
from engine.directory.snapshot import LAST_GOOD_SECONDS
from engine.errors import BootstrapUnreachableError, WireError
from engine.transport.bootstrap_client import BootstrapClient
from engine.transport.bootstrap_http import http_session, network_errors, send_statement
from engine.transport.bootstrap_state import BootstrapState, Phase
from engine.wire.codec import Message
from engine.wire.link import DirectoryHash
from engine.wire.records import Signed
from engine.wire.signaling import (
    DirectoryChanged,
    IceRequest,
    Login,
    NodeMessage,
    Publish,
    Refused,
    Signal,
    server_message_decoder,
)

logger = logging.getLogger("engine.bootstrap")
LOOK_SECONDS = 3.0
"""So long a reader waits for a directory that was announced and is on its way here."""
RETURN_SECONDS = 5.0
"""Within this time the nodes that logged in here are sent back to the server that answers again."""
LAST_BACKOFF = 5.0
"""So often it is tried whether the server that is mirrored answers again."""
MEASURE_SECONDS = 1.0
_SHORT = 128
"""Bytes; an announcement is shorter."""
AWAY = (
    "the network's own server is away, and a mirror lists nobody; what was listed when it went stays listed for up to"
    " 24 h"
)


class MirrorServer:
    """A mirror of the server at ``url`` (an open network's), with its files in ``data``."""

    def __init__(
        self,
        url: str,
        genesis: GenesisRecord,
        key: Identity,
        data: Path,
        configuration: OperatorConfiguration,
        clock: Clock,
        turn: TurnAccess | None = None,
    ) -> None:
        self.genesis = genesis
        self.metrics = Metrics()
        self.history = DirectoryHistory()
        self.door: Door | None = None
        self.chain: ChainService | None = PassedChain(url, self._behind) if genesis.genesis.committee_keys else None
        self.manifests: ChainService = PassedChain(url, self._behind)
        self._url = url
        self._key = key
        self._clock = clock
        self._permit = Permit(data, key, genesis, clock)
        self._exchange = Exchange(self, self.metrics, clock)
        self._connections = Connections(configuration, self.metrics)
        self._ice = IceIssuer(configuration, turn) if turn is not None or configuration.ice_servers else None
        self._directory: Directory | None = None
        self._shown = 0  # the epoch of the newest directory that can be fetched here
        self._announced = 0  # the newest epoch that the server has spoken of on a connection through here
        self._passing = 0
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._connected = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None
        self._client = BootstrapClient(
            url,
            genesis.network_id,
            key,
            data=data / "networks",
            clock=clock,
            client_only=True,
            software="gentorrent mirror",
            on_directory=self._on_directory,
            on_state=self._on_state,
            on_notice=lambda text: logger.warning("%s", text),
            last_backoff=LAST_BACKOFF,
        )

    # -------------------------------------------------------------------------------------- the server that is mirrored

    async def keep(self) -> None:
        """Until cancelled: stay with the server, and have its newest directory."""
        async with http_session(aiohttp.TCPConnector(limit=0)) as session, asyncio.TaskGroup() as group:
            self._http = session
            group.create_task(self._client.run())
            group.create_task(self._keep_history())
            group.create_task(self._permit.keep(session, self._url, self._connected))
            group.create_task(self._measure())

    def _on_directory(self, directory: Directory) -> None:
        self._directory = directory
        self._news.set()

    def _on_state(self, state: BootstrapState) -> None:
        if (state.phase is Phase.CONNECTED) == self._connected.is_set():
            return
        if self._connected.is_set():
            self._connected.clear()
            self._announced = 0
            logger.warning("The server that is mirrored is away: nodes log in here until it is back. %s", state.reason)
            return
        self._connected.set()
        logger.info("connected with the server that is mirrored")
        for session in self._exchange:  # not all in one moment
            delay = RETURN_SECONDS * int.from_bytes(os.urandom(2), "big") / 65_536
            asyncio.get_running_loop().call_later(delay, session.cut, "")

    async def _keep_history(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            signed, directory, before = self._client.signed, self._directory, self.history.newest
            if signed is None or directory is None or directory.epoch == self._shown:
                continue
            step = None
            if before is not None:
                with contextlib.suppress(WireError):
                    step = await asyncio.to_thread(make_step, before.record, signed.record)
            self.history.append(signed, step)
            self._shown = directory.epoch
            self._changed.set()
            self._changed = asyncio.Event()
            self._exchange.broadcast(self._announcement())

    def _heard(self, data: bytes) -> None:
        """What the server says to a node through here: an announcement is news for the mirror, too."""
        if len(data) > _SHORT:
            return
        with contextlib.suppress(WireError):
            message = server_message_decoder.decode(data)
            if isinstance(message, DirectoryChanged) and message.epoch > self._announced:
                self._announced = message.epoch
                self._client.look_again()

    async def look(self) -> None:
        """Wait a moment for a directory that was announced through here."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while self._shown < self._announced and self._client.connected:
                    await self._changed.wait()

    # ------------------------------------------------------------------------------------------------ nodes that come

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        """One node from its connection to its end."""
        return await self._connections.serve(request, self._serve)

    async def _serve(self, request: web.Request, address: str) -> web.StreamResponse:
        if self._client.connected and self._http is not None:
            try:
                behind = await open_behind(self._http, self._url, address)
            except aiohttp.WSServerHandshakeError:
                return web.Response(status=503, text="The server that is mirrored is full. Try again later.\n")
            except (aiohttp.ClientError, OSError, TimeoutError, BootstrapUnreachableError):
                pass  # gone since a moment
            else:
                self._passing += 1
                try:
                    return await pass_through(request, behind, self._heard)
                finally:
                    self._passing -= 1
        if not self._permit.valid:
            return web.Response(status=503, text="The network's server is away, and this mirror has no permit of it.\n")
        return await self._exchange.serve(request, address)

    def address_of(self, request: web.Request) -> str:
        """The address that a request counts for."""
        return self._connections.address_of(request)

    def _behind(self) -> aiohttp.ClientSession | None:
        return self._http if self._client.connected else None

    async def log_in(self, socket: web.WebSocketResponse, address: str) -> Login | None:
        """See ``Host``."""
        challenge = make_challenge(self._key, self.genesis.network_id, os.urandom(32), self._permit.valid)
        return await log_in(socket, self._key, challenge, self._clock, address)

    def entered(self, session: Session) -> Sequence[Message]:
        """See ``Host``."""
        if self._directory is not None and session.node_id in self._directory.ended:
            session.cut("this identity was revoked or replaced; it is over")
        return [self._announcement()] if self.history.newest is not None else []

    async def take(self, session: Session, message: NodeMessage) -> None:
        """See ``Host``."""
        match message:
            case Signal():
                self._exchange.relay(session, message)
            case Publish():
                session.send(Refused(reason=AWAY, fatal=False))
            case IceRequest() if self._ice is not None:
                wall, monotonic = self._clock.wall(), self._clock.monotonic()
                bucket: TokenBucket = session.ice_bucket
                session.send(self._ice.issue(session.node_id, counting_key(session.address), bucket, wall, monotonic))
            case _:
                pass  # without servers of our own the node keeps those that it knows

    def left(self, session: Session) -> None:
        """See ``Host``."""

    async def take_statement(self, signed: Signed) -> None:
        """Passed on; ``BootstrapUnreachableError`` while the server is away."""
        if self._http is None or not self._client.connected:
            raise BootstrapUnreachableError("the network's own server is away; bring it again later")
        async with network_errors():
            await send_statement(self._http, self._url, signed)

    # --------------------------------------------------------------------------------------------------- what is told

    def permit(self, _mirror_key: bytes) -> Signed | None:
        """A mirror permits no mirrors."""
        return None

    def head(self) -> DirectoryHash | None:
        """The signed head of the newest directory."""
        newest = self.history.newest
        return None if newest is None else head_of(newest, self._shown)

    def health(self) -> tuple[bool, dict[str, object]]:
        """Whether all is well, and what an operator wants to see."""
        age = self._clock.wall() - self._directory.issued if self._directory is not None else None
        return age is not None and age <= LAST_GOOD_SECONDS, {
            "mirror_of": self._url,
            "server": "connected" if self._client.connected else self._client.state.reason or "connecting",
            "permit": "valid" if self._permit.valid else "none: this mirror cannot stand in for the server",
            "epoch": self._shown,
            "directory_age_s": None if age is None else round(age, 1),
            "listed": len(self._directory) if self._directory is not None else 0,
            "sessions": len(self._exchange),
            "passed_through": self._passing,
        }

    async def _measure(self) -> None:
        while True:
            self.metrics.sessions.set(len(self._exchange) + self._passing)
            self.metrics.listed.set(len(self._directory) if self._directory is not None else 0)
            self.metrics.away.set(len(self._directory.away()) if self._directory is not None else 0)
            self.metrics.epoch.set(self._shown)
            self.metrics.directory_bytes.set(len(self.history.newest.record) if self.history.newest else 0)
            await asyncio.sleep(MEASURE_SECONDS)

    def _announcement(self) -> DirectoryChanged:
        return DirectoryChanged(epoch=self._shown, digest=self.history.digest)

    def end_sessions(self) -> None:
        """The mirror stops: tell everybody, so that they go elsewhere."""
        self._exchange.end("the server is stopping")
