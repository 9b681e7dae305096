"""The X server's answers, by ctypes: there is no package of it that every system has."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_ubyte, c_ulong, c_void_p
from typing import Any

from engine.sensors.base import Unmeasured

MOST_STATES = 64
ANY_TYPE = 0


class _ScreenSaverInfo(ctypes.Structure):
    _fields_ = (
        ("window", c_ulong),
        ("state", c_int),
        ("kind", c_int),
        ("til_or_since", c_ulong),
        ("idle", c_ulong),
        ("event_mask", c_ulong),
    )


def _library(name: str) -> Any:
    try:
        return ctypes.CDLL(name)
    except OSError:
        raise Unmeasured from None


@contextmanager
def _display() -> Iterator[tuple[Any, c_void_p]]:
    library = _library("libX11.so.6")
    library.XOpenDisplay.restype = c_void_p
    library.XOpenDisplay.argtypes = [c_char_p]
    library.XDefaultRootWindow.restype = c_ulong
    library.XDefaultRootWindow.argtypes = [c_void_p]
    library.XCloseDisplay.argtypes = [c_void_p]
    library.XInternAtom.restype = c_ulong
    library.XInternAtom.argtypes = [c_void_p, c_char_p, c_int]
    library.XFree.argtypes = [c_void_p]
    _ignore_errors(library)
    display = library.XOpenDisplay(None)
    if not display:
        raise Unmeasured
    try:
        yield library, c_void_p(display)
    finally:
        library.XCloseDisplay(display)


_HANDLER = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_ignoring = _HANDLER(lambda _display, _event: 0)


def _ignore_errors(library: Any) -> None:
    """A window that closes meanwhile is an error, for which the library would end this process."""
    library.XSetErrorHandler.argtypes = [_HANDLER]
    library.XSetErrorHandler(_ignoring)


def idle_seconds() -> float:
    """Since mouse or keyboard were used."""
    saver = _library("libXss.so.1")
    saver.XScreenSaverAllocInfo.restype = POINTER(_ScreenSaverInfo)
    saver.XScreenSaverQueryInfo.argtypes = [c_void_p, c_ulong, POINTER(_ScreenSaverInfo)]
    with _display() as (library, display):
        info = saver.XScreenSaverAllocInfo()
        try:
            if not saver.XScreenSaverQueryInfo(display, library.XDefaultRootWindow(display), info):
                raise Unmeasured
            return float(info.contents.idle) / 1000
        finally:
            library.XFree(info)


def is_full_screen() -> bool:
    """Whether the window in front fills the screen (EWMH, ``_NET_WM_STATE_FULLSCREEN``)."""
    with _display() as (library, display):
        active = _property(library, display, library.XDefaultRootWindow(display), b"_NET_ACTIVE_WINDOW")
        if not active or not active[0]:
            return False
        wanted = library.XInternAtom(display, b"_NET_WM_STATE_FULLSCREEN", 0)
        return wanted in _property(library, display, active[0], b"_NET_WM_STATE")


def _property(library: Any, display: c_void_p, window: int, name: bytes) -> list[int]:
    """The 32-bit values (which Xlib gives as longs) of a window's property; none where it has none."""
    read = library.XGetWindowProperty
    read.argtypes = [
        c_void_p, c_ulong, c_ulong, c_long, c_long, c_int, c_ulong,
        POINTER(c_ulong), POINTER(c_int), POINTER(c_ulong), POINTER(c_ulong), POINTER(POINTER(c_ubyte)),
    ]  # fmt: skip
    kind, width, count, left = c_ulong(), c_int(), c_ulong(), c_ulong()
    data = POINTER(c_ubyte)()
    atom = library.XInternAtom(display, name, 0)
    failed = read(
        display, window, atom, 0, MOST_STATES, 0, ANY_TYPE,
        byref(kind), byref(width), byref(count), byref(left), byref(data),
    )  # fmt: skip
    if failed or not bool(data):
        return []
    try:
        if width.value != 32:
            return []
        values = ctypes.cast(data, POINTER(c_ulong))
        return [int(values[at]) for at in range(min(count.value, MOST_STATES))]
    finally:
        library.XFree(data)
