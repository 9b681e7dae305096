"""A server on loopback that speaks OpenAI's protocol, well or badly: each test scripts what it sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Write = Callable[[bytes], Awaitable[None]]
Script = Callable[[Write], Awaitable[None]]


def event(content: object) -> bytes:
    """One server-sent event."""
    data = content if isinstance(content, str) else json.dumps(content)
    return f"data: {data}\n\n".encode()


def said(text: str, finish: str | None = None, **more: Any) -> bytes:
    """A piece of a chat answer."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish, **more}]})


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
COUNTED = event({"choices": [], "usage": USAGE})
LAST = event("[DONE]")


async def good_answer(write: Write) -> None:
    """ "Hello there." in three pieces, counted."""
    for part in (said("Hel"), said("lo there"), said("."), said("", "stop"), COUNTED, LAST):
        await write(part)


@dataclass
class OpenAiServer:
    """``script`` streams the body of answers; ``reply`` takes the place of the whole response when set."""

    script: Script = good_answer
    reply: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    models: Any = field(default_factory=lambda: {"data": [{"id": "upstream", "max_model_len": 2048}]})
    models_status: int = 200
    health_status: int = 200
    content_type: str = "text/event-stream"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    cut_off: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away in the middle of an answer."""

    async def _list(self, request: web.Request) -> web.Response:
        self.authorizations.append(request.headers.get("Authorization", ""))
        text = self.models if isinstance(self.models, str) else json.dumps(self.models)
        return web.Response(status=self.models_status, text=text, content_type="application/json")

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=self.health_status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.bodies.append(await request.json())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.reply is not None:
                return await self.reply(request)
            response = web.StreamResponse(headers={"Content-Type": self.content_type})
            await response.prepare(request)
            await self.script(response.write)
            return response
        except (ConnectionError, asyncio.CancelledError):
            self.cut_off.set()
            raise
        finally:
            self.running -= 1

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """The base address while the server runs."""
        application = web.Application()
        application.router.add_get("/v1/models", self._list)
        application.router.add_get("/health", self._health)
        application.router.add_post("/v1/chat/completions", self._answer)
        application.router.add_post("/v1/completions", self._answer)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


@contextlib.contextmanager
def in_a_thread(server: OpenAiServer) -> Iterator[str]:
    """The same for tests without an event loop of their own."""
    loop = asyncio.new_event_loop()
    address: queue.Queue[str] = queue.Queue(1)
    ended = asyncio.Event()

    async def run() -> None:
        async with server.serve() as url:
            address.put(url)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="openai-server")
    thread.start()
    try:
        yield address.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
