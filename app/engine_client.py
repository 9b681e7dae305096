"""One connection to an engine's control WebSocket: hello, welcome, then typed messages in both directions.

Reconnecting is the business of ``app.engine_link``.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import msgspec

from app.i18n import tr
from engine.api import schema
from engine.errors import TransportError

CONNECT_SECONDS = 5.0
"""For the TCP connection, the upgrade and the welcome together."""
HEARTBEAT_SECONDS = 10.0
WRITE_SECONDS = 10.0
MAX_OUTGOING = 64
"""Requests that may wait to be written."""
EVENTS_PER_TURN = 8
"""After so many events the window gets its turn, however many have arrived together."""
_log = logging.getLogger(__name__)


class EngineUnreachableError(TransportError):
    """Nobody answers at the address of the lock file, or not as an engine does."""


class EngineRefusedError(TransportError):
    """An engine is there and does not talk to this window; the text carries its reason."""


@dataclass(frozen=True, slots=True)
class Closed:
    """How a connection ended. ``code`` None: without a goodbye, as when the engine was killed."""

    code: int | None
    reason: str


async def load_http() -> ModuleType:
    """aiohttp, imported beside the event loop: it takes a few hundred milliseconds, and the window must stay live."""
    loaded = sys.modules.get("aiohttp")
    if loaded is not None:
        return loaded
    with ThreadPoolExecutor(1) as executor:  # the loop's own would be ten threads for one import
        return await asyncio.get_running_loop().run_in_executor(executor, importlib.import_module, "aiohttp")


class EngineClient:
    """Talks to the engine at ``address``; every event goes to ``on_event`` in order, the Welcome first."""

    def __init__(self, address: schema.EngineAddress, on_event: Callable[[schema.Event], None]) -> None:
        self._address = address
        self._on_event = on_event
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(MAX_OUTGOING)

    def send(self, request: schema.Request) -> bool:
        """Write ``request`` soon; False when too many wait already."""
        try:
            self._outgoing.put_nowait(schema.encode(request))
        except asyncio.QueueFull:
            return False
        return True

    async def sent(self) -> None:
        """Wait until every request is written; for ever where the connection has ended before."""
        await self._outgoing.join()

    async def run(self) -> Closed:
        """Connect and serve until the connection ends. Raises :class:`EngineUnreachableError` or
        :class:`EngineRefusedError` when it never comes to a welcome."""
        http = await load_http()
        async with http.ClientSession() as session:
            socket = await self._open(http, session)
            try:
                welcome = await self._greet(http, socket)
                self._on_event(welcome)
                async with asyncio.TaskGroup() as group:
                    sender = group.create_task(self._send(socket))
                    try:
                        return await self._read(http, socket)
                    finally:
                        sender.cancel()
            finally:
                await _close(socket)

    async def _open(self, http: ModuleType, session: Any) -> Any:
        url = f"http://127.0.0.1:{self._address.port}{schema.CONTROL_PATH}"
        headers = {"Authorization": f"Bearer {self._address.control_token}"}
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await session.ws_connect(
                    url, headers=headers, max_msg_size=schema.MAX_CONTROL_EVENT, heartbeat=HEARTBEAT_SECONDS
                )
        except http.WSServerHandshakeError as error:
            if error.status == 429:
                raise EngineRefusedError(
                    tr("Too many programs are connected to the engine. Close one of them.")
                ) from error
            raise EngineUnreachableError(f"the port answers with HTTP status {error.status}") from error
        except (http.ClientError, TimeoutError, OSError, ValueError, OverflowError) as error:
            raise EngineUnreachableError(str(error) or type(error).__name__) from error

    async def _greet(self, http: ModuleType, socket: Any) -> schema.Welcome:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await socket.send_str(schema.encode(schema.Hello(version=schema.CONTROL_VERSION, client="window")))
                message = await socket.receive()
        except (TimeoutError, ConnectionError) as error:
            raise EngineUnreachableError("the engine does not greet") from error
        if message.type is http.WSMsgType.CLOSE and message.data == schema.CLOSE_REFUSED:
            raise EngineRefusedError(str(message.extra or tr("the engine refused this window")))
        event = _decode(message.data) if message.type is http.WSMsgType.TEXT else None
        if not isinstance(event, schema.Welcome):
            raise EngineUnreachableError("what answers at the engine's port is no engine")
        return event

    async def _read(self, http: ModuleType, socket: Any) -> Closed:
        handled = 0
        while True:
            message = await socket.receive()
            if message.type is http.WSMsgType.TEXT:
                event = _decode(message.data)
                if event is not None:
                    self._on_event(event)
                handled += 1
                if handled % EVENTS_PER_TURN == 0:
                    await asyncio.sleep(0)
            elif message.type is http.WSMsgType.CLOSE:
                return Closed(int(message.data), str(message.extra or ""))
            elif message.type in (http.WSMsgType.CLOSED, http.WSMsgType.CLOSING, http.WSMsgType.ERROR):
                return Closed(None, str(message.data or ""))

    async def _send(self, socket: Any) -> None:
        while True:
            text = await self._outgoing.get()
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await socket.send_str(text)
                self._outgoing.task_done()
            except (TimeoutError, ConnectionError):
                await _close(socket)  # the reader sees the end and tells it
                return


def _decode(text: str) -> schema.Event | None:
    """The event, or None for one that this window does not know (a newer engine's) or that is malformed."""
    try:
        return schema.event_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        _log.debug("an event of the engine was skipped: %s", error)
        return None


async def _close(socket: Any) -> None:
    try:
        async with asyncio.timeout(1.0):
            await socket.close()
    except (TimeoutError, ConnectionError):
        pass
