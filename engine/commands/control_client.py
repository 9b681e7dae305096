"""The control WebSocket for commands: one connection to the engine of a data directory, requests and their replies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec

from engine.api import schema
from engine.commands.api_client import EngineUnreachableError, find_lock
from engine.errors import GenTorrentError, ModelFolderError, ModelInUseError, StorageError, request_error

REPLY_SECONDS = 60.0
"""Silence after which the engine counts as lost."""
LONGEST_SECONDS = 180.0
"""For one reply, whatever else the engine tells meanwhile."""
Asked = (
    schema.ChatsRequest
    | schema.ContributionRequest
    | schema.LibraryRequest
    | schema.WatchTopology
    | schema.NetworkRequest
    | schema.JoinNetwork
    | schema.LeaveNetwork
)
Reply = TypeVar("Reply", bound=schema.ControlEvent)
Result = TypeVar("Result")


class ControlClient:
    """An open connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._refs = 0

    async def ask(self, request: Asked, kind: type[Reply]) -> Reply:
        """The one reply to a request; raises what the engine refuses it with."""
        async for reply in self.replies(request, kind):
            return reply
        raise AssertionError("replies() gives at least one")

    async def replies(self, request: Asked, kind: type[Reply]) -> AsyncIterator[Reply]:
        """All replies to a request that has several."""
        self._refs += 1
        ref = str(self._refs)
        await self._socket.send_str(schema.encode(msgspec.structs.replace(request, ref=ref)))
        while True:
            async with asyncio.timeout(LONGEST_SECONDS):
                while getattr(event := await self._next(), "ref", None) != ref:
                    pass
            if isinstance(event, schema.RequestFailed):
                raise refused(event)
            if not isinstance(event, kind):
                raise GenTorrentError("The engine answered something else than was asked. Is it of this version?")
            yield event

    async def state(self, request: schema.GetState | schema.SetContributing) -> schema.State:
        """The engine's state once ``request`` holds; raises what the engine refuses it with."""
        await self._socket.send_str(schema.encode(request))
        async with asyncio.timeout(LONGEST_SECONDS):
            while True:
                event = await self._next()
                if isinstance(event, schema.RequestFailed) and event.request == "set_contributing":
                    raise request_error(event.code, event.text)
                if not isinstance(event, schema.State):
                    continue
                if isinstance(request, schema.GetState) or event.contributing.on == request.on:
                    return event

    async def send(self, request: Asked, ref: str) -> None:
        """A request whose reply comes among the :meth:`events`."""
        await self._socket.send_str(schema.encode(msgspec.structs.replace(request, ref=ref)))

    async def events(self, request: Asked) -> AsyncIterator[schema.Event]:
        """All that the engine tells after ``request``, whose reply has "ask" for a ``ref``. Answers may let wait."""
        await self.send(request, "ask")
        while True:
            yield await self._next(None)

    async def _next(self, seconds: float | None = REPLY_SECONDS) -> schema.Event:
        async with asyncio.timeout(seconds):
            message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise EngineUnreachableError("The engine has closed the connection. Try again.")
        return schema.event_decoder.decode(message.data)


def with_engine(data: Path | None, work: Callable[[ControlClient], Awaitable[Result]]) -> Result:
    """What ``work`` gives with a connection to the running engine; :class:`EngineUnreachableError` without one."""

    async def run() -> Result:
        async with _connected(data) as client:
            return await work(client)

    return asyncio.run(run())


@asynccontextmanager
async def _connected(data: Path | None) -> AsyncIterator[ControlClient]:
    lock = find_lock(data, os.environ)
    url = f"http://127.0.0.1:{lock.port}{schema.CONTROL_PATH}"
    headers = {"Authorization": f"Bearer {lock.control_token}"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers, max_msg_size=schema.MAX_CONTROL_EVENT) as socket,
        ):
            await socket.send_str(schema.encode(schema.Hello(version=schema.CONTROL_VERSION, client="command line")))
            yield ControlClient(socket)
    except (aiohttp.ClientError, TimeoutError, ConnectionError, msgspec.DecodeError) as error:
        told = str(error) or type(error).__name__
        raise EngineUnreachableError(
            f"The engine at port {lock.port} does not answer as it should ({told}). Restart it."
        ) from error


def refused(event: schema.RequestFailed | schema.ImportEnded) -> GenTorrentError:
    """What the engine refuses something with, or what has gone wrong in it."""
    for kind in (StorageError, ModelFolderError):
        if event.code == kind.code:
            return kind(event.text)
    if event.code == "model_contributed":
        return ModelInUseError(event.text, "model_contributed")
    return request_error(event.code, event.text)
