"""The owner's own pause on disk, so that an engine that starts anew goes on with it."""

from __future__ import annotations

from math import isinf
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from engine.governor.governor import FOR_GOOD
from engine.storage.files import remove
from engine.storage.state import load_state, save_state


class _Kept(Struct, frozen=True):
    """``ends``: seconds since 1970. ``left``: seconds that were left when it was written down, so that a clock that
    was set back makes it no longer. None: until the engine's next start."""

    ends: float = 0.0
    left: Annotated[float, Meta(ge=0, le=31_536_000)] | None = None


class OwnersPause:
    """One file; every method raises ``StorageError`` where the disk refuses."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._written = file.exists()

    def left(self, wall: float) -> float:
        """Seconds that it still lasts, perhaps ``FOR_GOOD``; 0: there is none."""
        kept = load_state(self.file, _Kept)
        if kept is None:
            return 0.0
        return FOR_GOOD if kept.left is None else max(0.0, min(kept.left, kept.ends - wall))

    def keep(self, left: float, wall: float) -> None:
        """It lasts ``left`` seconds from now."""
        if left > 0:
            save_state(self.file, _Kept() if isinf(left) else _Kept(wall + left, left))
            self._written = True
        elif self._written:
            remove(self.file)
            self._written = False
