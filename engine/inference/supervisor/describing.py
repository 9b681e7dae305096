"""Asking the worker how long a prompt is and which prefixes it begins with, before anybody decides who answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from engine.errors import InferenceError
from engine.inference.pipe import Describe, Described, ToWorker
from engine.inference.types import GenerationRequest, PromptShape

ANSWER_SECONDS = 2.0
"""A worker answers between two steps; who waits longer decides without knowing."""
MAX_QUESTIONS = 64
"""At a time."""


class Questions:
    """What the worker was asked, by ``tell``, and has not answered yet."""

    def __init__(self, tell: Callable[[ToWorker], None]) -> None:
        self._tell = tell
        self._numbers = count(1)
        self._open: dict[int, asyncio.Future[PromptShape | None]] = {}

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """See ``InferenceBackend.describe``."""
        if len(self._open) >= MAX_QUESTIONS:
            return None
        number = next(self._numbers)
        answer: asyncio.Future[PromptShape | None] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            self._tell(Describe(number, request))
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except (InferenceError, TimeoutError):  # longer than the pipe takes, or nobody answers
            return None
        finally:
            del self._open[number]

    def answered(self, message: Described) -> None:
        """The worker has answered."""
        future = self._open.get(message.key)
        if future is not None and not future.done():
            future.set_result(message.shape)

    def worker_ended(self) -> None:
        """Nobody answers any more."""
        for future in self._open.values():
            if not future.done():
                future.set_result(None)
