"""What the whole program takes of a machine's memory: the window, the engine that it starts, and its workers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.engine_address import read_address

QUESTION = "What is a receipt?"
SETTLED_SECONDS = 2.0
LONGEST_SECONDS = 120.0
WORKER = "engine.inference.worker"


def whole_app() -> dict[str, dict[str, float]]:
    """MiB of each process, pages that several share counted in parts (Linux: PSS): once the window and its engine are
    there, and after an answer of the built-in model. Raises `RuntimeError` if either does not come."""
    environment = {**os.environ, "GENTORRENT_KEYRING": "off"}
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "app", "--data", data, "--api-port", "0", "--log-level", "warning"]
        with subprocess.Popen(command, env=environment) as program:
            try:
                _wait(lambda: read_address(Path(data)) is not None)
                started = _settled(program.pid)
                ask = [sys.executable, "-m", "engine.cli", "chat", "--data", data, "--question", QUESTION]
                subprocess.run(ask, env=environment, check=True, capture_output=True, timeout=LONGEST_SECONDS)
                return {"started": started, "after an answer": _settled(program.pid)}
            finally:
                program.terminate()


def _settled(window: int) -> dict[str, float]:
    """By kind of process, as soon as it stays the same."""
    before: dict[str, float] = {}

    def same() -> bool:
        nonlocal before
        known, before = before, _by_kind(window)
        time.sleep(SETTLED_SECONDS)
        return known.keys() == before.keys() and all(abs(known[kind] - before[kind]) < 1 for kind in known)

    _wait(same)
    return before


def _by_kind(window: int) -> dict[str, float]:
    found = {"window": 0.0, "engine": 0.0, "worker": 0.0}
    for process in [psutil.Process(window), *psutil.Process(window).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            kind = "window" if process.pid == window else "worker" if WORKER in process.cmdline() else "engine"
            found[kind] += _mib(process)
    found["together"] = sum(found.values())
    return {kind: round(mib, 1) for kind, mib in found.items()}


def _mib(process: psutil.Process) -> float:
    memory = process.memory_full_info()
    return float(getattr(memory, "pss", memory.rss)) / 2**20


def _wait(there: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while not there():
        if time.monotonic() > until:
            raise RuntimeError("the program is not there, or does not come to rest")
        time.sleep(0.1)
