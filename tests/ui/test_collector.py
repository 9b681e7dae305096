"""What Python collects ends in the window's thread, whichever thread has left it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.collector import Collector


class Left:
    """Part of a cycle; notes which thread ends it."""

    def __init__(self, ended_in: list[int]) -> None:
        self.ended_in = ended_in
        self.itself = self

    def __del__(self) -> None:
        self.ended_in.append(threading.get_ident())


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[Collector]:
    collector = Collector()
    collector._timer.setInterval(1)
    yield collector
    collector.close()
    collector.deleteLater()
    assert gc.isenabled()
    gc.disable()  # as it is in every test of the window


def leave_much(ended_in: list[int]) -> None:
    for _ in range(20 * gc.get_threshold()[0]):
        Left(ended_in)


def test_a_busy_worker_thread_ends_nothing(collector: Collector, qtbot: QtBot) -> None:
    ended_in: list[int] = []
    worker = threading.Thread(target=leave_much, args=(ended_in,))
    worker.start()
    worker.join()
    assert ended_in == []
    qtbot.waitUntil(lambda: bool(ended_in), timeout=60_000)
    assert set(ended_in) == {threading.get_ident()}


def test_widgets_in_a_cycle_end_and_old_generations_get_their_turn(collector: Collector, qtbot: QtBot) -> None:
    widget = QWidget()
    widget.setProperty("itself", None)
    widget.itself = widget  # type: ignore[attr-defined]
    gone: list[bool] = []
    widget.destroyed.connect(lambda: gone.append(True))
    gc.collect(1)  # it is old now: the young generations do not look at it
    del widget
    ended_in: list[int] = []

    def more() -> bool:
        leave_much(ended_in)
        return bool(gone)

    qtbot.waitUntil(more, timeout=60_000)


def test_little_is_left_alone(collector: Collector, qtbot: QtBot) -> None:
    gc.collect()
    ended_in: list[int] = []
    Left(ended_in)
    qtbot.wait(50)
    assert ended_in == []
