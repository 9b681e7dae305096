"""Reading while it is being written: how much is read again, and what an unfinished line shows."""

from __future__ import annotations

import sys

import pytest

from app.markdown import reading
from app.markdown.blocks import Block, Code, Table, Text, plain
from app.markdown.parser import parse
from app.markdown.reader import MAX_REST, MarkdownReader


def written(text: str, size: int = 20) -> MarkdownReader:
    """``text`` read in pieces of ``size``, as it is while it is being written."""
    reader = MarkdownReader()
    for at in range(0, len(text), size):
        reader.add(text[at : at + size])
        reader.step(writing=True)
    while reader.step():
        pass
    return reader


LONG = {
    "paragraphs": "Some words of a **paragraph**.\n\n" * 400,
    "code": "```python\n" + "x = 1  # one\n" * 1000 + "```\n",
    "table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 1000,
    "list": "- an item with some words\n" * 500,
    "code in a list": "1. Do this:\n\n   ```python\n" + "   x = 1  # one\n" * 800 + "   ```\n\n   and that\n" * 1,
    "nested list": "- a\n  - b\n    1. c\n    2. d\n" * 300,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_only_the_last_block_is_read_again(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    given = []

    def counted(text: str):
        given.append(len(text))
        return parse(text)

    monkeypatch.setattr(reading, "parse", counted)
    reader = written(text)
    assert max(given) < 400
    assert sum(given) < 12 * len(text)
    assert reader.blocks == [piece.block for piece in reading.read(text)]


HOSTILE = {
    "one long line": "x" * 1_000_000,
    "long words": "word " * 200_000,
    "brackets": "[" * 50_000,
    "images": "![" * 30_000,
    "stars": "*a " * 20_000,
    "underscores": "_a " * 20_000,
    "stars and lines": "**a *b\n" * 8_000,
    "backticks": "".join("`" * count + " " for count in range(300)),
    "quotes": ">" * 50_000,
    "quotes with spaces": "> " * 50_000,
    "bullets": "- " * 50_000,
    "deep list": "".join("  " * depth + "- x\n" for depth in range(300)),
    "angle brackets": "<a" * 20_000,
    "links": "[a](" * 20_000,
    "entities": "&#x" * 20_000,
    "dollars": "$a" * 20_000,
    "backslashes": "\\" * 50_000,
    "wide table": "|" + "a|" * 20_000 + "\n|" + "-|" * 20_000 + "\n",
    "pipes": "|\n" * 20_000,
    "fences": "```\n~~~\n" * 8_000,
    "addresses": "http://a" * 8_000,
    "addresses with brackets": "http://" + "(" * 4_000 + ")" * 4_000,
    "formula": "$" + "\\frac{" * 1_000 + "$",
    "empty lines": "\n" * 50_000,
    "tabs": "\t" * 50_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_step_is_bounded_whatever_the_text(text: str) -> None:
    """Counted in calls of functions: a step of ordinary text takes some thousands."""
    reader = MarkdownReader()
    reader.add(text)
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    steps = 0
    most = 0
    more = True
    while more and steps < 4:
        calls = 0
        sys.setprofile(count)
        try:
            more = reader.step(writing=True)
        finally:
            sys.setprofile(None)
        most = max(most, calls)
        steps += 1
    assert most < 400_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_letter_is_lost(text: str) -> None:
    text = text[: 4 * MAX_REST]
    reader = MarkdownReader()
    reader.add(text)
    shown = "".join(said(block) for block in reader.read_all())
    for letter in "xabw":
        assert shown.count(letter) >= text.count(letter) * 0.99 or letter not in shown


def said(block: Block) -> str:
    if isinstance(block, Text):
        return plain(block.runs) + "".join(run.link for run in block.runs)
    if isinstance(block, Table):
        return "".join(plain(cell) for row in (block.header, *block.rows) for cell in row)
    return getattr(block, "text", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n-", ["a"]),
        ("a\n\n`", ["a"]),
        ("a\n\n``", ["a"]),
        ("a\n\n#", ["a"]),
        ("a\n\n1.", ["a"]),
        ("a\n\n- [x", ["a"]),
        ("a\n\n- b", ["a", "b"]),
        ("5", []),
    ],
)
def test_undecided_last_lines_wait(text: str, shown: list[str]) -> None:
    reader = MarkdownReader()
    reader.add(text)
    reader.step(writing=True)
    assert [plain(block.runs) for block in reader.blocks] == shown
    reader.step()
    assert reader.blocks == [piece.block for piece in reading.read(text)]


def test_what_is_certain_stays() -> None:
    reader = MarkdownReader()
    before: list[Block] = []
    for letter in LONG["code in a list"][:3000]:
        reader.add(letter)
        reader.step(writing=True)
        assert reader.blocks[: len(before)] == before
        before = reader.blocks[: reader.certain]
    assert isinstance(reader.blocks[-1], Code)
