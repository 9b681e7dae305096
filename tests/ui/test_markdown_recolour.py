"""An answer takes other colours: heads of tables first, and laid out once a step, not once for each line of code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QTextBlock
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea

from app.appearance import dress, wear
from app.markdown.languages import load_language
from app.theme import DARK, LIGHT, Theme
from app.views import markdown_recolour
from app.views.markdown_formats import KIND
from app.views.markdown_view import MarkdownView
from tests.support.transcripts import long_answer

TABLES = "| a | b |\n|---|---|\n| 1 | 2 |\n\nBetween.\n\n" * 10


@pytest.fixture
def theme() -> Theme:
    return Theme(LIGHT)


@pytest.fixture
def text(qapp: QApplication, theme: Theme) -> Iterator[MarkdownView]:
    dress(qapp)
    load_language("python")
    view = MarkdownView(theme, "x")
    wear(view, theme)
    view.resize(640, 400)
    view.show()
    view.add(long_answer() * 4 + TABLES)
    while view.advance():
        pass
    QTest.qWait(1)
    yield view
    view.close()
    view.deleteLater()


def test_a_table_is_laid_out_once_and_nothing_else_with_it(
    text: MarkdownView, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markdown_recolour, "TOGETHER", 2)
    theme.become(DARK)
    tables = [shown.table for shown in text._text.shown if shown.table is not None]
    assert len(tables) >= 10
    recolouring = text._text.recolouring()
    changes: list[tuple[int, int]] = []
    text.document().contentsChange.connect(lambda at, removed, added: changes.append((at, at + added)))
    while recolouring.step():
        pass
    for table in tables:
        assert table.cellAt(0, 0).format().background().color().name() == DARK.sunken
        assert table.format().toTableFormat().borderBrush().color().name() == DARK.line
        within = [
            (begin, end) for begin, end in changes if begin <= table.lastPosition() and end > table.firstPosition()
        ]
        assert len(within) == 1
        assert within[0][1] <= table.lastPosition() + 3


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
def test_what_shows_takes_the_colours_at_once(text: MarkdownView, theme: Theme, part: float) -> None:
    area = QScrollArea()
    area.resize(640, 500)
    area.setWidget(text)
    area.show()
    QTest.qWait(1)
    area.verticalScrollBar().setValue(round(part * area.verticalScrollBar().maximum()))
    seen = text.viewport().visibleRegion().boundingRect()
    theme.become(DARK)
    text.repaint_all()
    steps = 0
    while text.old_look:
        steps += 1
        text.advance()
    assert steps > 0
    layout = text.document().documentLayout()
    done = _recoloured(text, DARK)
    for block in _with_code(text):
        rect = layout.blockBoundingRect(block)
        if rect.bottom() > seen.top() and rect.top() < seen.bottom():
            assert block.blockNumber() in done
    assert len(done) < 60
    while text.advance():
        pass
    assert _recoloured(text, DARK) == [block.blockNumber() for block in _with_code(text)]
    area.takeWidget()
    area.close()


def _with_code(text: MarkdownView) -> list[QTextBlock]:
    """The lines that have colours of code."""
    blocks = [text.document().findBlockByNumber(at) for at in range(text.document().blockCount())]
    return [block for block in blocks if block.layout().formats()]


def _recoloured(text: MarkdownView, look: Theme) -> list[int]:
    """The numbers of the lines of code that have the colours of this look."""
    found = []
    for block in _with_code(text):
        kinds = [(str(one.format.property(KIND)), one.format.foreground().color()) for one in block.layout().formats()]
        if all(colour == QColor(look.syntax(kind)) for kind, colour in kinds):
            found.append(block.blockNumber())
    return found


def test_a_step_is_laid_out_once(text: MarkdownView, theme: Theme) -> None:
    theme.become(DARK)
    text.repaint_all()
    laid_out: list[int] = []
    text.document().documentLayout().update.connect(lambda *_: laid_out.append(1))
    steps = 0
    while text.advance():
        steps += 1
    lines = sum(
        bool(text.document().findBlockByNumber(at).layout().formats()) for at in range(text.document().blockCount())
    )
    assert lines > 100
    assert len(laid_out) < lines / 2, (steps, lines)
