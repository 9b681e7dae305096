"""The owner's own pause on disk, so that an engine that starts anew goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from math import isinf
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from engine.clock import Uptime
from engine.governor.governor import FOR_GOOD
from engine.storage.files import remove
from engine.storage.state import load_state, save_state


class _Kept(Struct, frozen=True):
    """``ends``: seconds since 1970. ``left``: seconds that were left when it was written down, None: until the engine's
    next start. ``boot`` and ``at``: the machine's ``Uptime`` at that moment; "": not known."""

    ends: float = 0.0
    left: Annotated[float, Meta(ge=0, le=31_536_000)] | None = None
    boot: Annotated[str, Meta(max_length=64)] = ""
    at: float = 0.0


class OwnersPause:
    """One file; every method raises ``StorageError`` where the disk refuses."""

    def __init__(self, file: Path, uptime: Callable[[], Uptime | None]) -> None:
        self.file = file
        self._uptime = uptime
        self._written = file.exists()

    def left(self, wall: float) -> float:
        """Seconds that it still lasts, perhaps ``FOR_GOOD``; 0: there is none.

        As long as the machine has not started anew its uptime says what has passed, and a clock that was set changes
        nothing. Else the clock says it, which then cannot be checked but for this: nothing gets longer, and at least
        as much has passed as the machine is up.
        """
        kept = load_state(self.file, _Kept)
        if kept is None:
            return 0.0
        if kept.left is None:
            return FOR_GOOD
        up = self._uptime()
        if up is not None and up.boot == kept.boot:
            return max(0.0, kept.left - max(0.0, up.seconds - kept.at))
        return max(0.0, min(kept.left - (up.seconds if up is not None and kept.boot else 0.0), kept.ends - wall))

    def keep(self, left: float, wall: float) -> None:
        """It lasts ``left`` seconds from now."""
        if left > 0:
            up = self._uptime() or Uptime("", 0.0)
            save_state(self.file, _Kept() if isinf(left) else _Kept(wall + left, left, *up))
            self._written = True
        elif self._written:
            remove(self.file)
            self._written = False
