"""How many tokens this machine has written for others: since the engine's start, and today, over all its starts; and
answers since the start."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import msgspec

from engine.clock import Clock
from engine.errors import StorageError
from engine.storage.state import load_state, save_state

KEEP_SECONDS = 60.0
"""A crash loses what was counted in so long at most."""
logger = logging.getLogger(__name__)


class _Day(msgspec.Struct, frozen=True):
    """``day``: as ISO 8601 writes a date."""

    day: str
    tokens: int


class ServedTokens:
    """Counts in ``file``. A day begins at midnight where this machine is; a disk that refuses costs only the count."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self.since_start = 0
        self.answers = 0
        """Since the start, to their ends."""
        self._kept = self._count = self._load()
        self._kept_at = clock.monotonic()

    @property
    def today(self) -> int:
        """Since midnight."""
        return self._count.tokens if self._count.day == self._day() else 0

    def add(self, tokens: int) -> None:
        """So many more."""
        self.since_start += tokens
        self._count = _Day(self._day(), self.today + tokens)
        if self._clock.monotonic() >= self._kept_at + KEEP_SECONDS:
            self.keep()

    def finished(self) -> None:
        """One more answer."""
        self.answers += 1

    def keep(self) -> None:
        """Write the count down."""
        self._kept_at = self._clock.monotonic()
        if self._count == self._kept:
            return
        try:
            save_state(self._file, self._count)
        except StorageError as error:
            logger.warning("what was served today could not be written down: %s", error)
        self._kept = self._count

    def _day(self) -> str:
        return datetime.fromtimestamp(self._clock.wall()).astimezone().date().isoformat()

    def _load(self) -> _Day:
        try:
            return load_state(self._file, _Day) or _Day("", 0)
        except StorageError as error:
            logger.warning("what was served today is counted anew: %s", error)
            return _Day("", 0)
