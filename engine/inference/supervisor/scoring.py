"""Asking the worker to judge answers: one at a time, so that they never take more than one place from answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.errors import GenTorrentError, InferenceError, InvalidRequestError, OverloadedError, WorkerDiedError
from engine.inference.pipe import CancelAnswer, Score, Scored, ToWorker
from engine.inference.request_limits import MAX_TOKEN
from engine.inference.types import GenerationRequest, TokenScores

MAX_WAITING = 64
"""Scores of one worker at a time, the one that runs included."""
MAX_OUTPUT = 100_000
"""Tokens of one answer."""
MAX_DEATHS = 2
"""Workers that may die in the middle of one score."""
LONGEST = 600.0
"""Seconds that a worker may take for one score, all that it does beside it included."""


@dataclass(slots=True, eq=False)
class _Place:
    """One score's place in the line; ``stopped``: why nobody shall go on with it."""

    stopped: Exception | None = None


class Scores:
    """What the worker is asked, by ``tell``. Their numbers are of the same row as those of answers."""

    def __init__(self, tell: Callable[[ToWorker], None]) -> None:
        self._tell = tell
        self._turn = asyncio.Lock()
        self._number = -1
        self._asked: asyncio.Future[TokenScores] | None = None
        self._places: list[_Place] = []

    @property
    def waiting(self) -> int:
        """How many there are, the one that runs included."""
        return len(self._places)

    @property
    def running(self) -> bool:
        """Whether the worker is at one."""
        return self._asked is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. :class:`OverloadedError` when the line is full; raises what :meth:`stop` is told."""
        if self.waiting >= MAX_WAITING:
            raise OverloadedError(f"{self.waiting} answers wait here already to be checked. Try again later.")
        place = _Place()
        self._places.append(place)
        try:
            async with self._turn:
                if place.stopped is not None:
                    raise place.stopped
                yield
        finally:
            self._places.remove(place)

    async def ask(self, number: int, request: GenerationRequest, output_ids: tuple[int, ...]) -> TokenScores:
        """One worker's word; what :meth:`failed`, :meth:`worker_died` and :meth:`stop`
        are told is raised. Only in one's turn."""
        asked: asyncio.Future[TokenScores] = asyncio.get_running_loop().create_future()
        self._asked = asked
        self._number = number
        told = False
        try:
            try:
                self._tell(Score(number, request, output_ids))
            except InferenceError as error:
                raise InvalidRequestError(f"The answer is too long to be checked here: {error}.") from error
            told = True
            async with asyncio.timeout(LONGEST):
                return await asked
        except TimeoutError:
            raise OverloadedError(
                f"This machine did not get to checking an answer within {LONGEST:.0f} s. Try again later."
            ) from None
        finally:
            self._asked = None
            if told and not (asked.done() and not asked.cancelled()):
                self._cancel(number)

    def scored(self, message: Scored) -> None:
        """The worker has answered."""
        if self._asked is not None and message.key == self._number and not self._asked.done():
            self._asked.set_result(message.scores)

    def failed(self, key: int, error: Exception) -> None:
        """The worker has said why it cannot."""
        if key == self._number:
            self.worker_died(error)

    def worker_died(self, error: Exception) -> None:
        """Whoever's turn it is hears ``error``."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(error)

    def stop(self, error: Exception) -> None:
        """Everybody hears ``error``."""
        for place in self._places:
            place.stopped = place.stopped or error
        self.worker_died(error)

    def _cancel(self, number: int) -> None:
        try:
            self._tell(CancelAnswer(number))
        except GenTorrentError:
            pass  # it makes what nobody takes, and ends by itself


def check_output(output_ids: tuple[int, ...]) -> None:
    """:class:`InvalidRequestError` for what no worker could take."""
    if len(output_ids) > MAX_OUTPUT:
        raise InvalidRequestError(f"An answer of {len(output_ids)} tokens is too long to be checked.")
    for token in output_ids:
        if not 0 <= token <= MAX_TOKEN:
            raise InvalidRequestError(f"The answer names the token {token}, which is in no vocabulary.")


def gave_up(crash: Exception) -> WorkerDiedError:
    """Two workers have died of it."""
    return WorkerDiedError(
        f"{crash} It ended {MAX_DEATHS} times while it checked this answer, so the answer stays unchecked."
    )
