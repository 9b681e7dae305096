"""Tables are bounded in rows and cells; what has to wait while they are written comes later, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from app.appearance import dress
from app.theme import LIGHT
from app.views.code_header import CodeHeader
from app.views.markdown_tables import MAX_CELLS, MAX_ROWS, WRITTEN_CELLS, WRITTEN_ROWS
from app.views.markdown_view import MarkdownView


@pytest.fixture
def text(qapp: QApplication) -> Iterator[MarkdownView]:
    dress(qapp)
    view = MarkdownView(LIGHT, "x")
    view.resize(800, 400)
    yield view
    view.deleteLater()


def table(rows: int, columns: int, begin: int = 0) -> str:
    lines = [f"| head {begin} " * columns + "|", "|---" * columns + "|"]
    lines += [f"| {row} " * columns + "|" for row in range(begin, rows)]
    return "\n".join(lines) + "\n"


def finish(view: MarkdownView, *, writing: bool = False) -> None:
    for _ in range(10_000):
        if not view.advance(writing=writing):
            return
    raise AssertionError("there is always more to do")


def shown(view: MarkdownView) -> tuple[int, str]:
    """The last row with a number, and what stands in the last row."""
    lines = [line for line in view.toPlainText().split("\n") if line]
    return max(int(line) for line in lines if line.isdigit()) + 1, lines[-1]


@pytest.mark.parametrize("columns", [1, 4, 15])
@pytest.mark.parametrize("rows", [5, 26, 27, 53, 100, 101, 201, 250])
def test_a_table_that_was_written_looks_like_one_that_came_at_once(text: MarkdownView, rows: int, columns: int) -> None:
    whole = table(rows, columns)
    for at in range(0, len(whole), 700):
        text.add(whole[at : at + 700])
        finish(text, writing=True)
    some = min(rows, WRITTEN_ROWS, WRITTEN_CELLS // columns)
    found, last = shown(text)
    assert found == some
    assert last.startswith("…") == (rows > some)
    finish(text)
    most = min(rows, MAX_ROWS, MAX_CELLS // columns)
    found, last = shown(text)
    assert found == most
    assert last.startswith("…") == (rows > most)
    written = text.toHtml()
    text.restart()
    text.add(whole)
    finish(text)
    assert text.toHtml() == written


def test_what_stands_below_a_table_that_grows_stays_what_it_is(text: MarkdownView) -> None:
    code = "```python\nx = 1\n```\n\n"
    text.resize(800, 30_000)
    text.add(f"{table(150, 4)}\n{code}{table(180, 4)}\n{code}The end.")
    finish(text)
    said = text.toPlainText()
    assert "149" in said
    assert "179" in said
    headers = sorted(header.geometry().top() for header in text.findChildren(CodeHeader))
    document = text.document()
    tops = []
    block = document.begin()
    while block.isValid():
        if block.text() == "x = 1":
            tops.append(document.documentLayout().blockBoundingRect(block).top())
            assert block.layout().formats()  # it is coloured
        block = block.next()
    assert [round(top) for top in tops] == [pytest.approx(header + 38, abs=4) for header in headers]
    text.add(" And more.")
    finish(text)
    assert text.toPlainText() == f"{said} And more."
