"""With the owner's consent a few receipts of its own answers, by lot, go to the verifiers by themselves.

What is sent is what the owner sends of an answer that it doubts (``reporting_samples``): the receipt, never a word of
question or answer. It always goes over anonymous paths, some time after the answer, and only where there are verifiers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from msgspec import Meta, Struct
from msgspec.structs import replace

from engine.api.schema import SampleSharing
from engine.api.service import AnswerDone
from engine.clock import Clock
from engine.directory.sampling import random_below
from engine.errors import GenTorrentError, StorageError
from engine.sentences import said_by
from engine.storage.files import remove
from engine.storage.state import load_state, save_state
from engine.verification.receipt_file import without_openings

logger = logging.getLogger(__name__)
FILE = "shared-samples.json"
PERCENT = 2
"""Of the owner's answers whose receipts are handed in."""
MOST_A_DAY = 3
MOST_WAIT_SECONDS = 1800
"""Each goes at a moment until then, so that it cannot be told by its time whose question came just before."""
DAY = 86_400


class Reports(Protocol):
    """:class:`engine.node.reporting_samples.SampleReports`."""

    async def report(self, data: bytes, *, hidden: bool = False) -> int:
        """Hand in an exported receipt; ``hidden``: over anonymous paths or not at all."""
        ...


class _Kept(Struct, frozen=True):
    """That the owner agrees; of ``day`` (since 1970) so many were handed in or tried."""

    on: bool = False
    day: int = 0
    count: Annotated[int, Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the lot has drawn: it goes at ``due`` (monotonic seconds), as long as ``consent`` is not taken back."""

    receipt: bytes
    due: float
    consent: int


class SharingSamples:
    """Off until the owner agrees; ``run()`` until cancelled. Whatever cannot be read means no consent."""

    def __init__(
        self,
        folder: Path,
        reports: Reports,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._file = folder / FILE
        self._reports = reports
        self._clock = clock
        self._random_bytes = random_bytes
        self._sleep = sleep
        self._waiting: asyncio.Queue[_Drawn] = asyncio.Queue(MOST_A_DAY)
        self._consent = 0  # one more each time that it is taken back
        try:
            self._kept = load_state(self._file, _Kept) or _Kept()
        except StorageError as error:
            logger.warning("no receipts are shared: %s", said_by(error))
            self._kept = _Kept()

    @property
    def on(self) -> bool:
        """Whether the owner agrees."""
        return self._kept.on

    def agree(self, on: bool) -> None:
        """The owner does, or does no more: what waits is not sent then. ``StorageError`` where that cannot be kept."""
        if on:
            self._keep(replace(self._kept, on=True))
            return
        self._kept = replace(self._kept, on=False)
        self._consent += 1
        while not self._waiting.empty():
            self._waiting.get_nowait()
        remove(self._file)

    def state(self, ref: str) -> SampleSharing:
        """What is chosen, and what came of it today."""
        today = self._kept.count if self._kept.day == self._today else 0
        return SampleSharing(ref=ref, on=self.on, percent=PERCENT, most_a_day=MOST_A_DAY, today=today)

    def answered(self, done: AnswerDone) -> None:
        """The owner has got an answer of another machine: perhaps its receipt is one of them."""
        is_checked_there = bool(done.standings)  # told of each machine wherever there is a committee
        if not self.on or not is_checked_there or not done.receipt_export or self._waiting.full():
            return
        if random_below(100, self._random_bytes) < PERCENT and self._take_place():
            due = self._clock.monotonic() + random_below(MOST_WAIT_SECONDS, self._random_bytes)
            self._waiting.put_nowait(_Drawn(without_openings(done.receipt_export.encode()), due, self._consent))

    async def run(self) -> None:
        """Hand in what the lot has drawn, one after the other."""
        while True:
            drawn = await self._waiting.get()
            await self._sleep(max(0.0, drawn.due - self._clock.monotonic()))
            if drawn.consent != self._consent:
                continue  # also where the owner has agreed anew: that is for answers from then on
            try:
                await self._reports.report(drawn.receipt, hidden=True)
            except GenTorrentError as error:
                logger.info("a receipt was not handed in: %s", said_by(error))

    @property
    def _today(self) -> int:
        return int(self._clock.wall()) // DAY

    def _take_place(self) -> bool:
        """One of the day's; a clock that is set back gives none anew."""
        day = max(self._today, self._kept.day)
        count = self._kept.count if day == self._kept.day else 0
        if count >= MOST_A_DAY:
            return False
        try:
            self._keep(replace(self._kept, day=day, count=count + 1))
        except StorageError as error:
            logger.warning("no receipt is shared: %s", said_by(error))
            return False
        return True

    def _keep(self, kept: _Kept) -> None:
        save_state(self._file, kept)
        self._kept = kept
