"""A long answer takes another width piece by piece, and shows as it was until all of it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.appearance import dress, wear
from app.theme import LIGHT
from app.views.code_header import CodeHeader
from app.views.markdown_view import MarkdownView
from tests.support.transcripts import long_answer

WIDTH, OTHER = 640, 500
LONG = long_answer() * 4


@pytest.fixture
def shown(qapp: QApplication) -> Iterator[Callable[..., MarkdownView]]:
    """Shows a text in a window, of which the upper end can be seen."""
    dress(qapp)
    windows = []

    def show(markdown: str = LONG, width: int = WIDTH) -> MarkdownView:
        windows.append(window := QWidget())
        wear(window, LIGHT)
        window.resize(WIDTH, 800)
        view = MarkdownView(LIGHT, "x")
        view.setParent(window)
        view.resize(width, view.height())
        window.show()
        view.add(markdown)
        while view.advance():
            pass
        QTest.qWait(1)
        return view

    yield show
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def text(shown: Callable[..., MarkdownView]) -> MarkdownView:
    return shown()


def pixels(view: MarkdownView) -> QImage:
    return view.viewport().grab(QRect(0, 0, OTHER - 10, 790)).toImage()


def steps(view: MarkdownView) -> list[float]:
    """Seconds of the processor's time that each step takes until there is no more to do."""
    found = []
    more = True
    while more:
        begin = time.thread_time()
        more = view.advance()
        found.append(time.thread_time() - begin)
    return found


def layout(view: MarkdownView) -> list[tuple[float, float]]:
    """Where each paragraph is."""
    block, found = view.document().begin(), []
    while block.isValid():
        rect = view.document().documentLayout().blockBoundingRect(block)
        found.append((rect.top(), rect.height()))
        block = block.next()
    return found


def test_a_long_text_takes_another_width_in_pieces(shown, text: MarkdownView) -> None:
    behind = []
    text.behind.connect(lambda: behind.append(True))
    cursor = QTextCursor(text.document())
    cursor.setPosition(100)
    cursor.setPosition(3000, QTextCursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    selected, before, height = text.textCursor().selectedText(), pixels(text), text.height()
    begin = time.thread_time()
    text.resize(OTHER, height)
    took = [time.thread_time() - begin]
    assert behind == [True]
    assert pixels(text) == before
    assert text.height() == height
    took += steps(text)
    assert len(took) > 6
    assert max(took) < 0.05
    fresh = shown(width=OTHER)
    assert text.height() == fresh.height() > height
    assert layout(text) == layout(fresh)
    assert text.textCursor().selectedText() == selected
    assert pixels(text) != before
    places = [header.geometry() for header in text.findChildren(CodeHeader)]
    assert places == [header.geometry() for header in fresh.findChildren(CodeHeader)]


def seen(text: MarkdownView, top: int) -> QImage:
    """The window with the text scrolled to ``top``."""
    text.move(0, -top)
    return text.window().grab(QRect(0, 0, OTHER - 10, 790)).toImage()


def differ(one: QImage, other: QImage) -> int:
    """By how much two pictures differ where they differ most."""
    first, second = (np.frombuffer(image.constBits(), np.uint8).astype(int) for image in (one, other))
    return int(np.abs(first - second).max())


@pytest.mark.parametrize("place", [0, 900])
def test_who_scrolls_meanwhile_sees_the_text_as_it_was(text: MarkdownView, place: int) -> None:
    tops = [place, place + 300, place + 700, max(0, place - 500)]
    before = [seen(text, top) for top in tops]
    text.move(0, -place)
    text.resize(OTHER, text.height())
    for _ in range(4):
        assert text.advance()
    assert all(differ(seen(text, top), was) < 64 for top, was in zip(tops, before, strict=True))
    blank = before[0].copy(0, 0, 400, 790)
    blank.fill(blank.pixelColor(0, 789))
    for top in (place + 1_000, text.height() - 800):  # there are no pictures of that
        assert seen(text, top).copy(0, 0, 400, 790) != blank
        bottom = seen(text, top).copy(0, 600, 400, 190)
        assert bottom != blank.copy(0, 600, 400, 190)
    text.move(0, -place)
    steps(text)
    assert differ(seen(text, place), before[0]) > 64


def test_a_width_that_changes_again_meanwhile_is_the_last(shown, text: MarkdownView) -> None:
    text.resize(OTHER, text.height())
    text.advance()
    text.resize(OTHER + 60, text.height())
    text.advance()
    text.resize(WIDTH, text.height())
    steps(text)
    fresh = shown()
    assert layout(text) == layout(fresh)
    assert text.height() == fresh.height()


def test_text_that_comes_meanwhile_waits_for_its_turn(shown, text: MarkdownView) -> None:
    text.resize(OTHER, text.height())
    text.advance()
    text.add("\n\nAnd **more**.")
    steps(text)
    fresh = shown(f"{LONG}\n\nAnd **more**.", OTHER)
    assert layout(text) == layout(fresh)


def test_another_text_may_follow_at_once(shown, text: MarkdownView) -> None:
    text.resize(OTHER, text.height())
    text.advance()
    text.restart()
    text.add("Short.")
    steps(text)
    fresh = shown("Short.", OTHER)
    assert layout(text) == layout(fresh)
    assert text.height() == fresh.height()


def test_a_short_text_takes_another_width_at_once(shown) -> None:
    text, fresh = shown("Some words. " * 100), shown("Some words. " * 100, OTHER)
    text.resize(OTHER, text.height())
    assert layout(text) == layout(fresh)
