"""The computing thread's own bounds, without a process."""

from __future__ import annotations

import io
import threading
from typing import Any, cast

import pytest

from engine.clock import SystemClock
from engine.inference.pipe import CancelAnswer
from engine.inference.worker import __main__ as module
from engine.inference.worker.__main__ import Outlet, Worker


class Paced:
    """A model whose next token is due at the end of time, as an owner's tiny speed limit asks for."""

    def next_deadline(self) -> float:
        return float("inf")


@pytest.mark.parametrize("waiting", [True, False])
def test_a_deadline_without_end_leaves_an_ear_for_commands(monkeypatch, waiting):
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.2)
    worker = Worker(Outlet(io.BytesIO()), SystemClock())
    worker._hosts["slow"] = cast(Any, Paced())
    if waiting:
        threading.Timer(0.05, worker.inbox.put, [CancelAnswer(1)]).start()
    worker._receive()
    assert worker.inbox.empty()
