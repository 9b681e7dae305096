"""Windows: who is at the machine and what fills its screen, by user32 and shell32, and what its connection costs."""

from __future__ import annotations

import ctypes
from typing import Any

from engine.sensors.base import Fields, Sensor, Unmeasured
from engine.sensors.windows_cost import metered

BUSY, FULL_SCREEN_GAME, PRESENTING = 2, 3, 4
"""QUERY_USER_NOTIFICATION_STATE: a program fills the screen, one does by Direct3D, or somebody gives a talk."""
WRAPS = 1 << 32
"""Milliseconds after which the system's counter begins anew (49.7 days)."""


class _LastInput(ctypes.Structure):
    _fields_ = (("size", ctypes.c_uint), ("time", ctypes.c_uint))


def sensors() -> list[Sensor]:
    """Those of Windows."""
    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - there is none elsewhere, for type checkers neither
    return [
        Sensor("idle", lambda: idle(windll.user32, windll.kernel32)),
        Sensor("full_screen", lambda: full_screen(windll.shell32)),
        Sensor("metered", lambda: metered(windll.ole32), 10.0),
    ]


def idle(user32: Any, kernel32: Any) -> Fields:
    """Seconds since mouse or keyboard were used."""
    last = _LastInput(ctypes.sizeof(_LastInput), 0)
    if not user32.GetLastInputInfo(ctypes.byref(last)):
        raise Unmeasured
    return {"idle": ((kernel32.GetTickCount() - last.time) % WRAPS) / 1000}


def full_screen(shell32: Any) -> Fields:
    """Whether Windows would keep notifications back because a program fills the screen."""
    state = ctypes.c_int()
    if shell32.SHQueryUserNotificationState(ctypes.byref(state)):
        raise Unmeasured
    return {"full_screen": state.value in (BUSY, FULL_SCREEN_GAME, PRESENTING)}
