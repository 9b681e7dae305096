"""The week is painted with mouse and keyboard, and read out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest

from app.models.week import (
    ALWAYS,
    HOURS,
    NIGHTS,
    PRESETS,
    WEEKENDS,
    Week,
    at,
    hour_words,
    rectangle,
    turned,
    week_words,
)
from app.theme import LIGHT
from app.views.contribute.schedule_grid import ScheduleGrid


class ToldGrid(ScheduleGrid):
    def __init__(self) -> None:
        super().__init__(LIGHT)
        self.told: list[Week] = []
        self.chosen.connect(self.told.append)


@pytest.fixture
def grid(qtbot) -> ToldGrid:
    grid = ToldGrid()
    qtbot.addWidget(grid)
    grid.resize(700, 260)
    grid.show()
    grid.show_week(frozenset())
    return grid


def place(grid: ToldGrid, day: int, hour: int) -> QPoint:
    table = grid.table
    return table.visualRect(table.model().index(day, hour)).center()


def test_presets_and_words() -> None:
    assert [week_words(week) for _, week in PRESETS] == [name for name, _ in PRESETS]
    assert week_words(frozenset()) == "Never"
    assert week_words(frozenset({1, 2, 3})) == "3 hours a week"
    assert at(4, 23) in NIGHTS
    assert at(4, 12) not in NIGHTS
    assert at(4, 23) not in WEEKENDS
    assert at(5, 0) in WEEKENDS
    assert hour_words(WEEKENDS, at(5, 9)) == "Saturday, 9 to 10 o'clock: contributes"


def test_rectangle_is_the_same_from_all_corners() -> None:
    expected = {at(day, hour) for day in (1, 2, 3) for hour in (8, 9)}
    corners = [(at(1, 8), at(3, 9)), (at(3, 9), at(1, 8)), (at(1, 9), at(3, 8)), (at(3, 8), at(1, 9))]
    assert all(rectangle(*pair) == expected for pair in corners)
    assert turned(ALWAYS, rectangle(0, 0), on=False) == ALWAYS - {0}


def test_dragging_paints_a_rectangle_and_tells_once(grid: ToldGrid) -> None:
    view = grid.table.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=place(grid, 1, 8))
    for day, hour in ((1, 10), (4, 14), (2, 9)):
        QTest.mouseMove(view, place(grid, day, hour))
    assert grid.told == []
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=place(grid, 2, 9))
    assert grid.told == [rectangle(at(1, 8), at(2, 9))]
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place(grid, 1, 8))
    assert grid.told[-1] == rectangle(at(1, 8), at(2, 9)) - {at(1, 8)}


def test_keys_move_mark_and_turn(grid: ToldGrid) -> None:
    table = grid.table
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Right)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert grid.told[-1] == {at(1, 1)}
    QTest.keyClick(table, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert grid.told[-1] == rectangle(at(1, 1), at(2, 2))


def test_a_day_is_turned_by_its_name(grid: ToldGrid) -> None:
    grid.table.verticalHeader().sectionClicked.emit(2)
    assert grid.told[-1] == {at(2, hour) for hour in range(HOURS)}
    grid.table.verticalHeader().sectionClicked.emit(2)
    assert grid.told[-1] == frozenset()


def test_presets_are_one_click_and_say_which_is_chosen(grid: ToldGrid) -> None:
    for button, (_, week) in zip(grid.presets, PRESETS, strict=True):
        button.click()
        assert grid.told[-1] == week
        assert [one.isChecked() for one in grid.presets] == [one is button for one in grid.presets]
    grid.presets[-1].click()  # again: nothing new
    assert len(grid.told) == len(PRESETS)
    assert grid.presets[-1].isChecked()


def test_showing_a_week_tells_nobody(grid: ToldGrid) -> None:
    grid.show_week(WEEKENDS)
    assert grid.week == WEEKENDS
    assert grid.told == []


def test_every_hour_is_read_out(grid: ToldGrid) -> None:
    grid.show_week(WEEKENDS)
    table = QAccessible.queryAccessibleInterface(grid.table)
    names = [
        child.text(QAccessible.Text.Name)
        for index in range(table.childCount())
        if (child := table.child(index)).role() is QAccessible.Role.Cell
    ]
    assert len(names) == 7 * 24
    assert names[at(6, 13)] == "Sunday, 13 to 14 o'clock: contributes"
    assert names[at(0, 0)] == "Monday, 0 to 1 o'clock: does not contribute"
