"""Colours of code come a step at a time, and once their language is there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.appearance import dress, wear
from app.markdown import highlight, languages
from app.markdown.languages import load_language
from app.theme import LIGHT
from app.views.markdown_view import MarkdownView


@pytest.fixture
def text(qapp: QApplication) -> Iterator[MarkdownView]:
    dress(qapp)
    view = MarkdownView(LIGHT, "x")
    wear(view, LIGHT)
    view.resize(640, 400)
    view.show()
    yield view
    view.close()
    view.deleteLater()


def coloured(view: MarkdownView) -> list[int]:
    """The numbers of the lines that have colours."""
    document = view.document()
    return [at for at in range(document.blockCount()) if document.findBlockByNumber(at).layout().formats()]


def advance(view: MarkdownView) -> int:
    """All that can be done now; in how many steps."""
    steps = 0
    while view.advance():
        steps += 1
    return steps


def test_code_is_plain_until_its_language_is_loaded(text: MarkdownView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_loaded", set())
    monkeypatch.setattr(highlight, "wish", lambda name: None)
    said: list[int] = []
    text.behind.connect(lambda: said.append(1))
    text.add("```lua\nlocal x = 1\n```\n")
    advance(text)
    assert text.toPlainText() == "local x = 1"
    assert coloured(text) == []
    load_language("lua")
    until = time.monotonic() + 120
    said.clear()
    while not said:  # the text asks for it
        QTest.qWait(5)
        assert time.monotonic() < until
    advance(text)
    assert coloured(text) == [0]
    said.clear()
    QTest.qWait(100)
    assert not said  # and no more


def test_lines_of_a_step_are_laid_out_together(text: MarkdownView) -> None:
    load_language("python")
    text.add("```python\n" + "'''\"\\\n" * 2_000)
    laid_out: list[int] = []
    text.document().documentLayout().update.connect(lambda *_: laid_out.append(1))
    steps = advance(text)
    lines = len(coloured(text))
    assert lines > 1_000
    assert len(laid_out) < lines / 4, (steps, lines)
