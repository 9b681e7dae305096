"""What a text in Markdown consists of: a flat sequence of blocks that know the lists and quotes around them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Literal, TypeAlias

Container: TypeAlias = Literal["item", "quote"]
Alignment: TypeAlias = Literal["left", "center", "right"]


class Style(IntFlag):
    """How a run of text looks."""

    PLAIN = 0
    BOLD = 1
    ITALIC = 2
    STRIKE = 4
    CODE = 8
    MATHS = 16
    IMAGE = 32
    """The words that stand for an image; ``link`` is its address. It is never loaded."""


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style. ``link`` is an address that :mod:`app.markdown.links` lets through, or empty."""

    text: str
    style: Style = Style.PLAIN
    link: str = ""


Runs: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands: the containers around it from the outside in, and the mark of the list item that it begins
    ("•", "3.", "☐", "☑"), or none."""

    containers: tuple[Container, ...] = ()
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, or a heading of level 1 to 6. Line breaks are "\\n" inside the runs."""

    place: Place
    runs: Runs
    heading: int = 0


@dataclass(frozen=True, slots=True)
class Code:
    """Code to read and copy; ``language`` as the author named it, or empty. Complete lines end in "\\n"."""

    place: Place
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Maths:
    """A formula on lines of its own, as readable text."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Every row has as many cells as the header."""

    place: Place
    alignments: tuple[Alignment, ...]
    header: tuple[Runs, ...]
    rows: tuple[tuple[Runs, ...], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""

    place: Place


Block: TypeAlias = Text | Code | Maths | Table | Rule


def plain(runs: Runs) -> str:
    """The text of ``runs`` alone."""
    return "".join(run.text for run in runs)
