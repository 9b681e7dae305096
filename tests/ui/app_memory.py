"""What the whole program takes of a machine's memory: the window, the engine that it starts, and its workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psutil

from app.engine_address import read_address
from app.preferences import PreferenceStore, WindowState, write_state
from engine.chats.rows import ChatRow, MessageRow
from engine.chats.store import ChatStore
from engine.clock import SystemClock
from engine.storage.data_directory import DataDirectory
from tests.support.transcripts import answer

TURNS = 500
"""Questions and answers of the long chat."""
QUESTION = "What is a receipt?"
SETTLED_SECONDS = 2.0
LONGEST_SECONDS = 120.0
WORKER = "engine.inference.worker"


def whole_app() -> dict[str, dict[str, float]]:
    """MiB of each process, pages that several share counted in parts (Linux: PSS): once the window and its engine are
    there, and after an answer of the built-in model; the same while a chat of 1,000 messages is open. Raises
    `RuntimeError` if either does not come."""
    started, answered = _program(lambda data: None)
    _, long = _program(_open_long_chat)
    return {"started": started, "after an answer": answered, "with a chat of 1,000 messages": long}


def _program(prepare: Callable[[Path], None]) -> tuple[dict[str, float], dict[str, float]]:
    """At rest, and after an answer, on a data directory of its own."""
    environment = {**os.environ, "GENTORRENT_KEYRING": "off"}
    with tempfile.TemporaryDirectory() as data:
        prepare(Path(data))
        command = [sys.executable, "-m", "app", "--data", data, "--api-port", "0", "--log-level", "warning"]
        with subprocess.Popen(command, env=environment) as program:
            try:
                _wait(lambda: read_address(Path(data)) is not None)
                started = _settled(program.pid)
                ask = [sys.executable, "-m", "engine.cli", "chat", "--data", data, "--question", QUESTION]
                subprocess.run(ask, env=environment, check=True, capture_output=True, timeout=LONGEST_SECONDS)
                return started, _settled(program.pid)
            finally:
                program.terminate()


def _open_long_chat(data: Path) -> None:
    """The window that starts there opens a chat of 500 questions and answers."""
    rows: list[MessageRow] = []
    for place in range(2 * TURNS):
        asked, parent = place % 2 == 0, rows[-1].id if rows else ""
        text = f"Question {place // 2 + 1}: what comes next?" if asked else answer(place // 2, 1 + place // 2 % 6)
        role: Literal["user", "assistant"] = "user" if asked else "assistant"
        rows.append(MessageRow(id=f"m{place}", chat="long", parent=parent, place=place + 1, role=role, text=text))
    asyncio.run(_store(data, ChatRow(id="long", title="Long", activity=1, tip=rows[-1].id), *rows))
    PreferenceStore(data).change(welcomed=True)
    write_state(data, WindowState(chat="long"))


async def _store(data: Path, chat: ChatRow, *messages: MessageRow) -> None:
    store = ChatStore(DataDirectory(data).chats, SystemClock(), print)
    if not await store.save(chat, *messages):
        raise RuntimeError(store.problem)
    await store.close()


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
