"""What a device of this machine may be used for, as its owner and its state allow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceLimit:
    """``barred``: why it computes nothing now, as a sentence; "": it may. ``memory``: bytes for the models that are
    loaded there with their caches; None: as much as is free. ``pace``: share of the time in which it computes for
    others, ``owners_pace`` for its owner."""

    barred: str = ""
    memory: int | None = None
    pace: float = 1.0
    owners_pace: float = 1.0
