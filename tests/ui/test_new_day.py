"""The list of chats knows when it becomes another day, whatever happens to the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QObject
from PySide6.QtTest import QTest

from app.models import new_day
from app.models.chats import ChatsModel
from app.models.new_day import NewDay, until_next_day
from engine.api import schema

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clocks went back on 25 October 2026, and go forward on 28 March 2027."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time zone of a process")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


def at(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (at(2026, 7, 1, 21, 30), 0.5),
        (at(2026, 7, 1, 22), 24),
        (at(2026, 10, 24, 22), 25),
        (at(2027, 3, 27, 23), 23),
        (at(2026, 12, 31, 22, 59, 59), 1 / 3600),
    ],
)
def test_a_day_ends_at_midnight_where_the_owner_is(berlin: None, now: float, hours: float) -> None:
    assert until_next_day(now) == pytest.approx(3600 * hours)


def test_another_day_is_told_once_also_where_the_clock_was_set() -> None:
    now = at(2026, 7, 1, 12)
    parent = QObject()
    day = NewDay(lambda: now, parent)
    told: list[float] = []
    day.came.connect(lambda: told.append(now))
    for later, expected in ((60, 0), (86_400, 1), (60, 1), (-30 * 86_400, 2), (400 * 86_400, 3)):
        now += later
        day.look()
        assert len(told) == expected
        assert day._timer.isActive()
        assert day._timer.interval() <= 60_000


def test_chats_of_today_are_those_of_yesterday_after_midnight_without_any_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(new_day, "LOOK_SECONDS", 0.01)
    now = at(2026, 7, 1, 12)
    model = ChatsModel(lambda request: True, lambda: now)
    model.connected()
    model.receive(schema.ChatList(ref="list-0", chats=(schema.ChatEntry(chat="a", title="a", updated=now),)))
    told: list[str] = []
    model.changed.connect(lambda: told.append(model.groups()[0].name))
    assert model.groups()[0].name == "Today"
    now += 86_400
    for _ in range(3000):
        if told:
            break
        QTest.qWait(10)
    assert told == ["Yesterday"]
