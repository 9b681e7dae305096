"""Markdown read piece by piece means the same as Markdown read as a whole, wherever the pieces end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.markdown.reader import MarkdownReader
from app.markdown.reading import read

FRAGMENTS = (
    *(
        "\n",
        "\n\n",
        "  ",
        "   ",
        "    ",
        "\t",
        "x\n",
        "word ",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2. ",
        "10) ",
        "- [ ] ",
        "> ",
        "# ",
    ),
    *(
        "---\n",
        "**bold** ",
        "*it",
        "_",
        "`code` ",
        "``",
        "~~s~~ ",
        "[x](https://y.org) ",
        "https://a.b/c ",
        "![i](http://z)",
    ),
    *(
        "\\",
        "```python\n",
        "```\n",
        "~~~\n",
        "   ```\n",
        "| a | b |\n",
        "|---|:-:|\n",
        "| 1 | 2 |\n",
        "a | b\n",
        "-|-\n",
        "$$\n",
    ),
    *(
        "\\[",
        "\\]\n",
        "$x^2$",
        "\r\n",
        "é😀",
        "שלום ",
        "مرحبا\n",
        "\u202e",
        "&lt;",
        "<b>",
        "===\n",
        "- item\n",
        "  - sub\n",
    ),
    *("1. one\n", "3. three\n"),
)
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=30).map("".join)


def whole(text: str):
    """What the parser makes of ``text`` in one go: the naive reference."""
    reader = MarkdownReader()
    reader.add(text)
    return [piece.block for piece in read(reader._rest)]


@settings(max_examples=120, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_pieces_mean_the_same_as_the_whole(text: str, sizes: list[int]) -> None:
    reader = MarkdownReader()
    at = 0
    for number in range(10_000):
        if at >= len(text):
            break
        piece = text[at : at + sizes[number % len(sizes)]]
        at += len(piece)
        reader.add(piece)
        reader.step()
        assert reader.blocks == whole(text[:at])


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_every_beginning_can_be_shown_while_it_is_written(text: str) -> None:
    reader = MarkdownReader()
    for letter in text:
        reader.add(letter)
        reader.step(writing=True)
        assert reader.certain <= len(reader) == len(reader.blocks)
    reader.step()
    assert reader.blocks == whole(text)
