"""The tags of path set-ups that a relay has taken, and the ids of requests that a model node has, on disk, so that none
is taken again after a restart.

Two files of records (its date, in seconds since 1970 as a float; the tag): one that grows, and one with what it held
before. From time to time what need not be remembered is left out and the rest put into the latter, so both are bounded
by the rate of set-ups. A record with a negative date is none: up to that date (without the sign) some are left out, so
that a clock that was ahead makes nobody believe that all are known. A record is with the operating system before its
set-up goes on: the death of the process loses none, a power failure may lose those of the last seconds.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.errors import StorageError
from engine.sentences import said_by
from engine.storage.files import PRIVATE_FILE, read_limited, storage_error, write_atomically

logger = logging.getLogger(__name__)
TAG_LENGTH: Final = 16
_RECORD: Final = struct.Struct(f">d{TAG_LENGTH}s")
MAXIMUM_LENGTH: Final = 16 * 1024 * 1024
"""Bytes of one file that are read."""
MAXIMUM_KEPT: Final = MAXIMUM_LENGTH // _RECORD.size // 2
"""Records that are put into the older file, the youngest."""


class ReplayLog:
    """Tags that must be remembered for ``memory`` seconds. :meth:`load` comes first."""

    def __init__(self, path: Path, memory: float, wall: Callable[[], float]) -> None:
        """``path``: of the younger file; the older one lies beside it."""
        self._path, self._older = path, path.with_name(f"{path.name}.1")
        self._memory = memory
        self._wall = wall
        self._file: int | None = None
        self._begun = 0.0
        self.forgotten = -1.0
        """The date of the youngest one that is left out."""

    def load(self) -> list[tuple[float, bytes]]:
        """What is still to be remembered: dates and tags.

        A file that cannot be read is passed over, and where none can be written this run leaves the files alone, as
        the log says: a relay without them works, and takes replays after a restart.
        """
        kept: list[tuple[float, bytes]] = []
        try:
            self._tidy(self._wall(), kept)
        except (StorageError, OSError) as error:
            self._give_up(said_by(error))
        return kept

    def append(self, tag: bytes, date: float | None = None) -> None:
        """Write one tag down; ``date``: if it is not now."""
        if self._file is None:
            return
        wall = self._wall()
        try:
            if wall > self._begun + self._memory:
                self._tidy(wall, [])
            self._begun = min(self._begun, wall)
            os.write(self._file, _RECORD.pack(wall if date is None else date, tag))
        except StorageError as error:
            self._give_up(said_by(error))
        except OSError as error:
            self._give_up(said_by(storage_error("write", self._path, error)))

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _tidy(self, wall: float, kept: list[tuple[float, bytes]]) -> None:
        """Put into the older file what is still to be remembered of both, and into ``kept``, and begin a new one."""
        for path in (self._older, self._path):
            data = read_limited(path, MAXIMUM_LENGTH) or b""
            whole = len(data) // _RECORD.size * _RECORD.size  # the last one may be torn
            for date, tag in _RECORD.iter_unpack(data[:whole]):
                if date + self._memory > wall:
                    kept.append((date, tag))
                else:
                    self.forgotten = max(self.forgotten, abs(date))
        if len(kept) > MAXIMUM_KEPT:
            kept.sort()
            self.forgotten = max(self.forgotten, kept[-MAXIMUM_KEPT - 1][0])
            del kept[:-MAXIMUM_KEPT]
        mark = _RECORD.pack(-self.forgotten, bytes(TAG_LENGTH)) if self.forgotten > 0.0 else b""
        write_atomically(self._older, mark + b"".join(_RECORD.pack(*record) for record in kept))
        self.close()
        self._begin(wall)

    def _begin(self, wall: float) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self._path, flags, PRIVATE_FILE)
        self._begun = wall

    def _give_up(self, problem: str) -> None:
        self.close()
        logger.warning("set-ups or requests of this run will not be recognised after a restart: %s", problem)
