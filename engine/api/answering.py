"""The answers of one request, made side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from engine.api.service import AnswerDone, AnswerEvent, AnswerRequest, AnswerService
from engine.errors import RequestError, first_failure

CUT_SHORT = "The answer ended without its last event. Its text may be incomplete. Ask again."

Take = Callable[[int, AnswerEvent], Awaitable[None]]
"""Called with an answer's place in the request and its next event."""


async def run_answers(service: AnswerService, requests: Sequence[AnswerRequest], take: Take) -> None:
    """Hand every event of every answer to ``take``, each answer's in order. The first that fails ends them all, with
    its error; cancellation stops them all."""
    if len(requests) == 1:
        await _run(service, requests[0], 0, take)
        return
    with first_failure(Exception):
        async with asyncio.TaskGroup() as group:
            for index, request in enumerate(requests):
                group.create_task(_run(service, request, index, take))


async def _run(service: AnswerService, request: AnswerRequest, index: int, take: Take) -> None:
    async with aclosing(service.answer(request)) as events:
        async for event in events:
            await take(index, event)
            if isinstance(event, AnswerDone):
                return
    raise RequestError(CUT_SHORT)
