"""The handlers of ``/v1``: models and chat completions, whole or streamed as server-sent events."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing

from aiohttp import web

from engine.api import chat_reply
from engine.api.chat_reply import Completion
from engine.api.chat_request import ParsedRequest, parse
from engine.api.metrics import Metrics
from engine.api.security import refuse
from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerService, AnswerStage
from engine.clock import Clock
from engine.errors import GenTorrentError, RequestError

MAX_BODY = 1_048_576
"""Bytes of a request body."""
MAX_ANSWERS = 64
"""Answers that run at a time for local programs; more are refused, not queued."""
READ_SECONDS = 30.0
"""Within which a body must have arrived."""
WRITE_SECONDS = 60.0
"""Within which a client must take a chunk; a slower one is cut."""
ANSWER_SECONDS = 3600.0
"""After which an answer is given up whatever it does."""
COMMENT_SECONDS = 10.0
"""Without text for so long a stream sends a comment, so that nobody between takes it for dead."""
_DONE = b"[DONE]"
_log = logging.getLogger(__name__)


class OpenAiHandlers:
    """``/v1`` over an :class:`AnswerService`."""

    def __init__(self, service: AnswerService, clock: Clock, metrics: Metrics) -> None:
        self._service = service
        self._clock = clock
        self._metrics = metrics
        self._running = 0
        self._started = int(clock.wall())

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/models``."""
        models = [chat_reply.model_object(model, self._started) for model in self._service.models()]
        return _json({"object": "list", "data": models})

    async def get_model(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/models/{id}``; the id may contain slashes."""
        name = request.match_info["model"]
        for model in self._service.models():
            if model.id == name:
                return _json(chat_reply.model_object(model, self._started))
        return refuse(
            404, f"Nobody serves the model {name!r} now. GET /v1/models lists what can be asked.", "model_not_found"
        )

    async def chat_completions(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/chat/completions``. Errors before the first text have a status; later ones are told in the stream
        as a last ``data: {"error": …}``. When the client goes away the handler is cancelled, and the answer with it."""
        async with asyncio.timeout(READ_SECONDS):
            parsed = parse(await request.read())
        if self._running >= MAX_ANSWERS:
            return refuse(
                429,
                f"{MAX_ANSWERS} answers are running for programs on this machine; this one was not started. "
                "Wait until some are done.",
                "too_many_requests",
                {"Retry-After": str(chat_reply.RETRY_AFTER_SECONDS)},
            )
        self._running += 1
        self._metrics.running.inc()
        try:
            async with aclosing(self._service.answer(parsed.answer)) as events:
                reply = Completion(f"chatcmpl-{secrets.token_hex(12)}", int(self._clock.wall()), parsed.answer.model_id)
                if parsed.stream:
                    return await _Stream(request, parsed, reply, self._metrics, self._clock).run(events)
                return await self._whole(parsed, reply, events)
        finally:
            self._running -= 1
            self._metrics.running.dec()

    async def _whole(
        self, parsed: ParsedRequest, reply: Completion, events: AsyncGenerator[AnswerEvent, None]
    ) -> web.Response:
        pieces: list[str] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async for event in events:
                    if isinstance(event, AnswerDelta):
                        pieces.append(event.text)
                        self._metrics.tokens.inc(len(event.ids))
                    elif isinstance(event, AnswerDone):
                        return self._whole_reply(parsed, reply, "".join(pieces), event)
        except TimeoutError:
            raise RequestError(_TOO_LONG) from None
        raise RequestError(_CUT_SHORT)

    def _whole_reply(self, parsed: ParsedRequest, reply: Completion, text: str, done: AnswerDone) -> web.Response:
        self._metrics.ttft.observe(done.ttft_ms / 1000)
        extension = chat_reply.extension_object(done, parsed.answer.sampling.seed, receipt=parsed.receipt)
        return web.Response(body=reply.whole(text, done, extension), content_type="application/json")


_CUT_SHORT = "The answer ended without its last event. Its text may be incomplete. Ask again."
_TOO_LONG = "The answer took more than an hour and was given up. Ask for a shorter one with max_tokens."
_UNEXPECTED = "The engine made a mistake while it answered; its log says which. What has arrived is all there is."


class _Stream:
    """One streamed reply. Headers leave with the first thing to say, so that an early error keeps its status."""

    def __init__(
        self, request: web.Request, parsed: ParsedRequest, reply: Completion, metrics: Metrics, clock: Clock
    ) -> None:
        self._request = request
        self._parsed = parsed
        self._reply = reply
        self._metrics = metrics
        self._clock = clock
        self._response: web.StreamResponse | None = None
        self._last_write = clock.monotonic()
        self._named = False

    async def run(self, events: AsyncGenerator[AnswerEvent, None]) -> web.StreamResponse:
        """Pass the answer on; raises only while nothing has been sent."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async for event in events:
                    if isinstance(event, AnswerStage):
                        await self._stage(event)
                    elif isinstance(event, AnswerDelta):
                        await self._delta(event)
                    else:
                        return await self._done(event)
            raise RequestError(_CUT_SHORT)
        except ConnectionError:
            raise
        except Exception as error:
            failure = _as_told(error)
            if self._response is None:
                raise failure from error
            return await self._end(chat_reply.encode(chat_reply.error_of(failure)))

    async def _stage(self, stage: AnswerStage) -> None:
        if self._parsed.stages:
            await self._send(self._reply.stage(stage))
        elif self._clock.monotonic() - self._last_write > COMMENT_SECONDS:
            await self._write(f": {stage.stage}\n\n".encode())

    async def _delta(self, delta: AnswerDelta) -> None:
        self._metrics.tokens.inc(len(delta.ids))
        if delta.text:
            await self._name_role()
            await self._send(self._reply.text(delta.text))

    async def _done(self, done: AnswerDone) -> web.StreamResponse:
        self._metrics.ttft.observe(done.ttft_ms / 1000)
        extension = chat_reply.extension_object(done, self._parsed.answer.sampling.seed, receipt=self._parsed.receipt)
        await self._name_role()
        await self._send(self._reply.last(done, extension))
        if self._parsed.include_usage:
            await self._send(self._reply.usage(done))
        return await self._end(_DONE)

    async def _end(self, data: bytes) -> web.StreamResponse:
        response = await self._send(data)
        await self._taken(response.write_eof())
        return response

    async def _name_role(self) -> None:
        if not self._named:
            self._named = True
            await self._send(self._reply.first())

    async def _send(self, data: bytes) -> web.StreamResponse:
        return await self._write(b"data: " + data + b"\n\n")

    async def _write(self, data: bytes) -> web.StreamResponse:
        if self._response is None:
            self._response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
            )
            await self._response.prepare(self._request)
        await self._taken(self._response.write(data))
        self._last_write = self._clock.monotonic()
        return self._response

    async def _taken(self, writing: Awaitable[None]) -> None:
        """Wait until the client has taken what is written; cut it when that takes too long."""
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await writing
        except TimeoutError:
            # The client has stopped reading; nothing more can be told to it.
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError("the client stopped reading") from None


def _json(value: object) -> web.Response:
    return web.Response(body=chat_reply.encode(value), content_type="application/json")


def _as_told(error: Exception) -> GenTorrentError:
    """What the client is told about ``error``; a mistake of our own is logged, not shown."""
    if isinstance(error, GenTorrentError):
        return error
    if isinstance(error, TimeoutError):
        return RequestError(_TOO_LONG)
    _log.error("an answer failed unexpectedly", exc_info=error)
    return RequestError(_UNEXPECTED)
