"""What a download says of itself, for a terminal, the window or nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["checking", "downloading", "copying", "reading", "installing", "done"]


@dataclass(frozen=True, slots=True)
class FileProgress:
    """One file; sizes in bytes. ``note``: what went wrong and is being tried again, or ""."""

    name: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole at one moment. ``speed``: bytes per second of the last seconds, from the network only.
    ``looked``: files that were seen in a folder of which nobody knows yet how many it has."""

    stage: Stage
    files: tuple[FileProgress, ...]
    speed: float = 0.0
    looked: int = 0

    @property
    def done(self) -> int:
        """Bytes that are on the disk."""
        return sum(one.done for one in self.files)

    @property
    def total(self) -> int:
        """Bytes in the end."""
        return sum(one.total for one in self.files)


Listener = Callable[[Progress], None]


class Meter:
    """Collects what the files say and tells the listener, at most every ``interval`` seconds within a stage."""

    def __init__(self, listener: Listener, now: Callable[[], float], interval: float = 0.1) -> None:
        self._listener = listener
        self._now = now
        self._interval = interval
        self._files: dict[str, FileProgress] = {}
        self._stage: Stage = "checking"
        self._told = 0.0
        self._received = 0
        self._looked = 0
        self._window: list[tuple[float, int]] = []

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """A file joins."""
        self._files[name] = FileProgress(name, done, total)
        self._tell()

    def at(self, name: str, done: int, received: int = 0, note: str = "") -> None:
        """A file has ``done`` bytes now, ``received`` of them came from the network since the last call."""
        self._received += received
        self._files[name] = FileProgress(name, done, self._files[name].total, note)
        self._tell(always=bool(note))

    def now(self) -> float:
        """Seconds, by the clock that this measures with."""
        return self._now()

    def looked(self, count: int) -> None:
        """So many files of a folder were seen."""
        self._looked = count
        self._tell()

    def stage(self, stage: Stage) -> None:
        """What happens now."""
        self._stage = stage
        self._tell(always=True)

    def _tell(self, always: bool = False) -> None:
        now = self._now()
        if not always and now - self._told < self._interval:
            return
        self._told = now
        self._window = [(when, total) for when, total in self._window if now - when <= 5.0] + [(now, self._received)]
        (first, before), (last, after) = self._window[0], self._window[-1]
        speed = (after - before) / (last - first) if last > first else 0.0
        self._listener(Progress(self._stage, tuple(self._files.values()), speed, self._looked))
