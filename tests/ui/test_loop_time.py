"""What may be done in a turn of the event loop, and who is first in the next one."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.views.loop_time import LoopTime


def test_the_time_of_a_turn_runs_once_and_comes_back_with_the_next(qtbot) -> None:
    owner = QObject()
    spent, plenty = LoopTime(owner, 0.0), LoopTime(owner, 60.0)
    spent.begin()
    qtbot.waitUntil(lambda: spent.over)
    assert spent.over
    assert not plenty.over
    later: list[bool] = []
    spent._seconds = 60.0
    assert spent.over  # in this turn, whoever asks
    QTimer.singleShot(5, lambda: later.append(spent.over))
    qtbot.waitUntil(lambda: bool(later))
    assert later == [False]


def test_what_had_no_time_comes_first() -> None:
    time = LoopTime(QObject(), 1.0)
    assert time.queue([3, 1, 2]) == [3, 1, 2]
    time.put_off([2, 7, 3])
    assert time.queue([3, 1, 2]) == [2, 3, 1]
    time.put_off([])
    assert time.queue([3, 1, 2]) == [3, 1, 2]
