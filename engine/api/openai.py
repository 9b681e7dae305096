"""The handlers of ``/v1``: models, chat and plain completions, whole or streamed as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from engine.api import chat_request, completion_request, error_reply
from engine.api.answering import run_answers
from engine.api.chat_reply import CHAT
from engine.api.completion_reply import TEXT
from engine.api.event_stream import EventStream
from engine.api.metrics import Metrics
from engine.api.parameters import ParsedRequest
from engine.api.reply import Reply, ReplyKind, model_object
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
ANSWER_SECONDS = 3600.0
"""After which an answer is given up whatever it does."""
COMMENT_SECONDS = 10.0
"""Without text for so long a stream sends a comment, so that nobody between takes it for dead."""
_DONE = b"[DONE]"
_TOO_LONG = "The answer took more than an hour and was given up. Ask for a shorter one with max_tokens."
_UNEXPECTED = "The engine made a mistake while it answered; its log says which. What has arrived is all there is."
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
        models = [model_object(model, self._started) for model in self._service.models()]
        return _json({"object": "list", "data": models})

    async def get_model(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/models/{id}``; the id may contain slashes."""
        name = request.match_info["model"]
        for model in self._service.models():
            if model.id == name:
                return _json(model_object(model, self._started))
        return refuse(
            404, f"Nobody serves the model {name!r} now. GET /v1/models lists what can be asked.", "model_not_found"
        )

    async def chat_completions(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/chat/completions``."""
        return await self._complete(request, chat_request.parse, CHAT)

    async def completions(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/completions``."""
        return await self._complete(request, completion_request.parse, TEXT)

    async def _complete(
        self, request: web.Request, parse: Callable[[bytes], ParsedRequest], kind: ReplyKind
    ) -> web.StreamResponse:
        """Errors before the first text have a status; later ones are told in the stream as a last
        ``data: {"error": …}``. When the client goes away the handler is cancelled, and the answers with it."""
        async with asyncio.timeout(READ_SECONDS):
            parsed = parse(await request.read())
        count = len(parsed.answers)
        if self._running + count > MAX_ANSWERS:
            return refuse(
                429,
                f"{self._running} answers are running for programs on this machine, of {MAX_ANSWERS} that may; "
                f"{'these were' if count > 1 else 'this one was'} not started. Wait until some are done.",
                "too_many_requests",
                {"Retry-After": str(error_reply.RETRY_AFTER_SECONDS)},
            )
        self._running += count
        self._metrics.running.inc(count)
        try:
            reply = Reply(kind, parsed, int(self._clock.wall()))
            if parsed.stream:
                return await self._streamed(request, parsed, reply, kind)
            return await self._whole(parsed, reply, kind)
        finally:
            self._running -= count
            self._metrics.running.dec(count)

    async def _whole(self, parsed: ParsedRequest, reply: Reply, kind: ReplyKind) -> web.StreamResponse:
        async def take(index: int, event: AnswerEvent) -> None:
            self._count(event)
            if isinstance(event, AnswerDelta):
                reply.add(index, event)
            elif isinstance(event, AnswerDone):
                reply.end(index, event)

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await run_answers(self._service, parsed.answers, take)
        except TimeoutError:
            return _refused(RequestError(_TOO_LONG), kind)
        except GenTorrentError as error:
            return _refused(error, kind)
        return web.Response(body=reply.whole(), content_type="application/json")

    async def _streamed(
        self, request: web.Request, parsed: ParsedRequest, reply: Reply, kind: ReplyKind
    ) -> web.StreamResponse:
        stream = EventStream(request, self._clock)

        async def take(index: int, event: AnswerEvent) -> None:
            self._count(event)
            match event:
                case AnswerStage():
                    if parsed.stages:
                        await stream.send(reply.stage(event))
                    elif stream.silence > COMMENT_SECONDS:
                        await stream.comment(event.stage)
                case AnswerDelta():
                    await stream.send(*reply.chunks(index, event))
                case AnswerDone():
                    await stream.send(*reply.last(index, event))

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await run_answers(self._service, parsed.answers, take)
                if parsed.include_usage:
                    await stream.send(reply.usage())
                return await stream.end(_DONE)
        except ConnectionError:
            raise
        except Exception as error:
            failure = _as_told(error)
            if not stream.begun:
                return _refused(failure, kind)
            return await stream.end(error_reply.encode(error_reply.error_of(failure, kind.asked)))

    def _count(self, event: AnswerEvent) -> None:
        if isinstance(event, AnswerDelta):
            self._metrics.tokens.inc(len(event.ids))
        elif isinstance(event, AnswerDone):
            self._metrics.ttft.observe(event.ttft_ms / 1000)


def _json(value: object) -> web.Response:
    return web.Response(body=error_reply.encode(value), content_type="application/json")


def _refused(error: GenTorrentError, kind: ReplyKind) -> web.Response:
    return error_reply.response(error, kind.asked)


def _as_told(error: Exception) -> GenTorrentError:
    """What the client is told about ``error``; a mistake of our own is logged, not shown."""
    if isinstance(error, GenTorrentError):
        return error
    if isinstance(error, TimeoutError):
        return RequestError(_TOO_LONG)
    _log.error("an answer failed unexpectedly", exc_info=error)
    return RequestError(_UNEXPECTED)
