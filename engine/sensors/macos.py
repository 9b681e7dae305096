"""macOS: who is at the machine, by Core Graphics."""

from __future__ import annotations

import ctypes
from typing import Any

from engine.sensors.base import Fields, Sensor, Unmeasured, within

CORE_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"
COMBINED_STATE = 0
ANY_INPUT = 0xFFFFFFFF


def sensors() -> list[Sensor]:
    """Those of macOS."""
    try:
        library: Any = ctypes.CDLL(CORE_GRAPHICS)
    except OSError:
        return []
    return [Sensor("idle", lambda: idle(library))]


def idle(library: Any) -> Fields:
    """Seconds since mouse or keyboard were used."""
    ask = library.CGEventSourceSecondsSinceLastEventType
    ask.restype = ctypes.c_double
    ask.argtypes = [ctypes.c_int32, ctypes.c_uint32]
    seconds = within(ask(COMBINED_STATE, ANY_INPUT), 0, 1e9)
    if seconds is None:
        raise Unmeasured
    return {"idle": seconds}
