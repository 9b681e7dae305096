"""How a process of the engine lives: on which event loop, and until when.

For a program that another one started: stop when that one is gone, however it went.

A parent that wants this sets ``GENTORRENT_STOP_WITH_STDIN=1`` and gives the child a pipe as standard input; the pipe
closes with the parent, even when it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

if sys.platform != "win32":
    import uvloop

VARIABLE = "GENTORRENT_STOP_WITH_STDIN"


def stop_with_parent(stop: Callable[[], object]) -> None:
    """Call ``stop`` on the running event loop when standard input closes, if the parent asked for it."""
    if os.environ.get(VARIABLE) != "1":
        return
    loop = asyncio.get_running_loop()
    threading.Thread(target=_watch, args=(loop, stop), daemon=True, name="lifeline").start()


def _watch(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """In a thread, because not every system can poll a pipe."""
    with contextlib.suppress(OSError, ValueError):
        # Unbuffered: a thread that holds the buffer's lock at exit would abort the interpreter.
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(stop)


def run_on_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` on the fastest loop of this system; on Windows the selector loop, as UDP on the proactor loop loses
    peers."""
    if sys.platform == "win32":
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(main)
    else:
        uvloop.run(main)
