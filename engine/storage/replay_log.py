"""The tags of path set-ups that a relay has taken, and the ids of requests that a model node has, on disk, so that none
is taken again after a restart.

Two files of records (when it was taken, in seconds since 1970 as a float; the tag): one that grows, and the one before
it. When all of the older one may be forgotten the younger one takes its place, so both are bounded by the rate of
set-ups. A record is with the operating system before its set-up goes on: the death of the process loses none, a power
failure may lose those of the last seconds.
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


class ReplayLog:
    """Tags that must be remembered for ``memory`` seconds. :meth:`load` comes first."""

    def __init__(self, path: Path, memory: float, wall: Callable[[], float]) -> None:
        """``path``: of the younger file; the older one lies beside it."""
        self._path, self._older = path, path.with_name(f"{path.name}.1")
        self._memory = memory
        self._wall = wall
        self._file: int | None = None
        self._begun = 0.0

    def load(self) -> list[tuple[float, bytes]]:
        """What is still to be remembered: for how many seconds from now, and the tag.

        A file that cannot be read is passed over, and where none can be written this run leaves the files alone, as
        the log says: a relay without them works, and takes replays after a restart.
        """
        wall = self._wall()
        records: list[tuple[float, bytes]] = []
        try:
            for path in (self._older, self._path):
                data = read_limited(path, MAXIMUM_LENGTH) or b""
                whole = len(data) // _RECORD.size * _RECORD.size  # the last one may be torn
                records += _RECORD.iter_unpack(data[:whole])
            records = [record for record in records if record[0] + self._memory > wall]
            write_atomically(self._older, b"".join(_RECORD.pack(*record) for record in records))
            self._begin(wall)
        except (StorageError, OSError) as error:
            self._give_up(said_by(error))
        # Of a clock that was set back nothing is forgotten too soon.
        return [(min(taken + self._memory - wall, self._memory), tag) for taken, tag in records]

    def append(self, tag: bytes) -> None:
        """Write one tag down."""
        if self._file is None:
            return
        wall = self._wall()
        try:
            if wall > self._begun + self._memory:
                self.close()
                self._path.replace(self._older)
                self._begin(wall)
            self._begun = min(self._begun, wall)
            os.write(self._file, _RECORD.pack(wall, tag))
        except OSError as error:
            self._give_up(said_by(storage_error("write", self._path, error)))

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self, wall: float) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self._path, flags, PRIVATE_FILE)
        self._begun = wall

    def _give_up(self, problem: str) -> None:
        self.close()
        logger.warning("set-ups or requests of this run will not be recognised after a restart: %s", problem)
