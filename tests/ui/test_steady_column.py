"""Columns that are laid out often: they look as Qt's own do, and ask for no height twice."""

from __future__ import annotations

import random

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.theme import LIGHT
from app.views.basics import PlainLabel
from app.views.cards import Page
from app.views.steady_column import SteadyColumn

WORDS = "Everybody who has a graphics card answers questions of others while it is idle. "


class Counted(PlainLabel):
    """Counts how often it is asked for its height."""

    asked = 0

    def heightForWidth(self, width: int) -> int:
        Counted.asked += 1
        return super().heightForWidth(width)


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def column(kind: type[QVBoxLayout]) -> tuple[QScrollArea, QVBoxLayout]:
    """A column of columns in a place that scrolls, and the outer one."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    content = QWidget()
    outer = kind(content)
    area.setWidget(content)
    return area, outer


def places(widget: QWidget) -> list[tuple[int, int, int, int, bool]]:
    return [(*child.geometry().getRect(), child.isVisible()) for child in widget.findChildren(QWidget)]  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_changes_all_is_where_qt_would_put_it(qtbot, seed: int) -> None:
    source = random.Random(seed)
    pages = [column(kind) for kind in (SteadyColumn, QVBoxLayout)]
    parts: list[tuple[list[QWidget], list[QLabel]]] = [([], []), ([], [])]
    for area, _ in pages:
        qtbot.addWidget(area)
        area.resize(400, 300)
        area.show()

    def both(change) -> None:
        for (area, outer), (groups, labels) in zip(pages, parts, strict=True):
            change(area, outer, groups, labels)

    def add_group(area: QScrollArea, outer: QVBoxLayout, groups: list[QWidget], labels: list[QLabel]) -> None:
        groups.append(QWidget())
        type(outer)(groups[-1])
        outer.addWidget(groups[-1])

    for _ in range(60):
        at, words, on, width = source.random(), source.randrange(40), source.random() < 0.7, source.randrange(150, 700)
        kind = source.choice(["group", "label", "label", "text", "show", "width"])
        if kind == "group" or not parts[0][1]:
            both(add_group)
        if kind == "label" or not parts[0][1]:

            def add(area, outer, groups, labels, at=at, words=words) -> None:
                labels.append(PlainLabel(WORDS * (words // 8) + "x"))
                groups[int(at * len(groups))].layout().addWidget(labels[-1])

            both(add)
        elif kind == "text":
            text = WORDS * (words // 4)
            both(lambda area, outer, groups, labels, at=at, text=text: labels[int(at * len(labels))].setText(text))
        elif kind == "show":
            both(lambda area, outer, groups, labels, at=at, on=on: labels[int(at * len(labels))].setVisible(on))
        elif kind == "width":
            both(lambda area, outer, groups, labels, width=width: area.resize(width, 300))
        settle()
        assert places(pages[0][0]) == places(pages[1][0])


def test_what_has_not_changed_is_not_asked_again(qtbot) -> None:
    page = Page(LIGHT, "A page", "about")
    qtbot.addWidget(page)
    page.resize(900, 600)
    groups = []
    for _ in range(10):
        group = QWidget()
        within = SteadyColumn(group)
        for _ in range(10):
            within.addWidget(Counted(WORDS * 3))
        page.column.addWidget(group)
        groups.append(within)
    page.column.addStretch(1)
    page.show()
    settle()
    assert page.verticalScrollBar().maximum() > 0
    before = Counted.asked
    more = Counted(WORDS)
    groups[3].addWidget(more)
    settle()
    assert more.isVisible()
    assert Counted.asked - before < 50, "of 101 labels those of one group, and at one width"


def test_many_that_show_are_laid_out_once(qtbot) -> None:
    area, outer = column(SteadyColumn)
    qtbot.addWidget(area)
    area.resize(400, 300)
    area.show()
    assert isinstance(outer, SteadyColumn)
    labels = [Counted(WORDS) for _ in range(20)]
    with outer.changing():
        for label in labels:
            outer.addWidget(label)
            label.show()
        assert not any(label.y() for label in labels)
    settle()
    tops = [label.y() for label in labels]
    assert tops == sorted(set(tops))
