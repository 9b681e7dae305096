"""Talks to the demo's client engine as the window does: over the control WebSocket of its local API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from engine.api.schema import (
    CONTROL_PATH,
    CONTROL_VERSION,
    MAX_CONTROL_EVENT,
    Chat,
    ChatDelta,
    ChatDone,
    ChatFailed,
    ChatStage,
    ChatText,
    ControlRequest,
    Event,
    Hello,
    Route,
    SamplingChoice,
    State,
    encode,
    event_decoder,
)
from engine.errors import GenTorrentError, request_error
from engine.storage.data_directory import DataDirectory, LockContent, read_lock


@dataclass(slots=True)
class Control:
    """An open control connection."""

    socket: aiohttp.ClientWebSocketResponse
    state: State | None = None

    async def send(self, message: ControlRequest) -> None:
        """One request."""
        await self.socket.send_str(encode(message))

    async def receive(self) -> Event:
        """The next event; the newest state is kept."""
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise GenTorrentError("The client engine has closed its control connection.")
        event = event_decoder.decode(message.data)
        if isinstance(event, State):
            self.state = event
        return event

    async def keep_reading(self) -> None:
        """While nothing is asked: who reads nothing for long is cut off. Until cancelled."""
        while True:
            await self.receive()

    async def ask(
        self,
        model: str,
        question: str,
        on_text: Callable[[str], None] = lambda _: None,
        on_stage: Callable[[ChatStage], None] = lambda _: None,
        route: Route = "network",
    ) -> ChatDone:
        """One answer of the likeliest words; raises ``RequestError`` when it fails."""
        messages, sampling = (ChatText("user", question),), SamplingChoice(temperature=0.0)
        await self.send(Chat(id="demo", model=model, messages=messages, sampling=sampling, route=route))
        while True:
            event = await self.receive()
            match event:
                case ChatDelta():
                    on_text(event.text)
                case ChatStage():
                    on_stage(event)
                case ChatFailed():
                    raise request_error(event.code, event.text)
                case ChatDone():
                    return event
                case _:
                    pass


@asynccontextmanager
async def open_control(data: DataDirectory, check: Callable[[], None]) -> AsyncIterator[Control]:
    """Wait for the engine of ``data`` and open its control connection. ``check`` raises when waiting is in vain."""
    async with aiohttp.ClientSession() as session:
        while (socket := await _connect(session, read_lock(data.lock))) is None:
            check()
            await asyncio.sleep(0.05)
        async with socket:
            control = Control(socket)
            await control.send(Hello(version=CONTROL_VERSION, client="demo"))
            yield control


async def _connect(session: aiohttp.ClientSession, lock: LockContent | None) -> aiohttp.ClientWebSocketResponse | None:
    """The connection; None while the engine is not up: what the lock says may be of one that was killed."""
    if lock is None or not lock.port:
        return None
    url, headers = f"http://127.0.0.1:{lock.port}{CONTROL_PATH}", {"Authorization": f"Bearer {lock.control_token}"}
    try:
        return await session.ws_connect(url, headers=headers, max_msg_size=MAX_CONTROL_EVENT)
    except (aiohttp.ClientConnectorError, aiohttp.WSServerHandshakeError):
        return None
