"""Starts the window: Qt first, then everything that can wait."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.options import Options
    from app.single_instance import SingleInstance

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_X11_LIBRARIES = (
    "libxkbcommon-x11.so.0",
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
)
_INSTALL = (
    "The window needs it; everything else works without. On Debian and Ubuntu, run as root: apt-get install libegl1 "
    "libgl1 libfontconfig1 libglib2.0-0 libdbus-1-3 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 "
    "libxcb-keysyms1 libxcb-shape0 libgssapi-krb5-2"
)
LIFELINE_VARIABLE = "GENTORRENT_STOP_WITH_STDIN"
"""Set to 1 by a program that starts the window: window and engine leave when the standard input that it gave closes."""
MEASURE_VARIABLE = "GENTORRENT_MEASURE_START"
"""Set to 1: print "usable" once the window is drawn and takes input, and leave; for who measures the start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and stay until the user leaves. Returns the exit code."""
    from app.options import parse

    options = parse(sys.argv[1:] if arguments is None else arguments)
    obstacle = _obstacle()
    if obstacle:
        print(f"gentorrent app: {obstacle}", file=sys.stderr)
        return 1
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    # qasync looks for the binding by itself and would take another one that is installed too.
    os.environ["QT_API"] = "pyside6"

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.appearance import dress
    from app.single_instance import SingleInstance

    application = QApplication(sys.argv[:1])
    dress(application)
    instance = SingleInstance(options.data_directory)
    if not instance.claim():
        return _second_start(instance, options)

    from qasync import QEventLoop

    from app import engine_process
    from app.collector import Collector
    from app.desktop import Desktop

    collector = Collector()
    loop = QEventLoop(application)
    with loop:
        desktop = Desktop(options)
        instance.wanted.connect(desktop.open)
        desktop.show()
        release = _on_signals(desktop.quit)
        if os.environ.get(LIFELINE_VARIABLE) == "1":
            engine_process.ENGINE_INPUT = None  # the engine hangs on the same pipe
            until_closed = threading.Thread(target=_read_to_end, args=(loop, desktop.quit), daemon=True)
            until_closed.start()
        if os.environ.get(MEASURE_VARIABLE) == "1":
            QTimer.singleShot(0, lambda: QTimer.singleShot(0, lambda: _tell_usable(desktop.quit)))
        try:
            loop.run_until_complete(desktop.run())
        finally:
            release()
            instance.release()
            collector.close()
    return 0


def _obstacle() -> str:
    """Why no window can be opened here, in words; empty when one can. Qt itself would end the process with a riddle."""
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _DISPLAYS)):
        return (
            "There is no display, so no window can be opened. Use gentorrent chat here, run the engine alone with "
            "gentorrent node, or start the window in a desktop session."
        )
    try:
        import PySide6.QtWidgets  # noqa: F401 - only whether it loads
    except ImportError as error:
        return f"Qt cannot be loaded ({error}). {_INSTALL}"
    missing = _missing_libraries() if _needs_x11(os.environ) else []
    if missing:
        return f"Qt cannot open windows here: {', '.join(missing)} is missing. {_INSTALL}"
    return ""


def _needs_x11(environment: Mapping[str, str]) -> bool:
    """Whether Qt will talk to an X server."""
    if not sys.platform.startswith("linux"):
        return False
    chosen = environment.get("QT_QPA_PLATFORM", "")
    wayland = bool(environment.get("WAYLAND_DISPLAY")) and environment.get("XDG_SESSION_TYPE") == "wayland"
    return chosen == "xcb" or (not chosen and not wayland)


def _missing_libraries() -> list[str]:
    """What Qt needs of the system for an X server and does not bring; it would end the process without a word."""
    missing = []
    for name in _X11_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


def _second_start(instance: SingleInstance, options: Options) -> int:
    """GenTorrent is open on this data directory: show that window. Returns the exit code."""
    if options.autostarted or instance.call_first():
        return 0
    print(
        f"gentorrent app: GenTorrent is open already for {options.data_directory}, and its window does not answer. "
        "Close it, by force if need be, and start again.",
        file=sys.stderr,
    )
    return 1


def _tell_usable(leave: Callable[[], None]) -> None:
    print("usable", flush=True)
    leave()


def _read_to_end(loop: asyncio.AbstractEventLoop, leave: Callable[[], None]) -> None:
    """In a thread, as not every system can poll a pipe: leave when standard input closes."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(leave)


def _on_signals(leave: Callable[[], None]) -> Callable[[], None]:
    """Ctrl-C and SIGTERM leave as the menu does. Qt's loop runs no Python while it waits, so Python's signal handler
    gets its turn by a byte on a socket that Qt watches. Returns what undoes this."""
    from PySide6.QtCore import QSocketNotifier

    def handle(number: int, frame: FrameType | None) -> None:
        leave()

    numbers = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, handle) for number in numbers}
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    old_descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: reading.recv(64))

    def release() -> None:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(old_descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        reading.close()
        writing.close()

    return release
