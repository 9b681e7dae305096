"""Answers that are written to hold the window up: what Qt, the parser or the colouring would take long for."""

from __future__ import annotations

import itertools
import random

LENGTH = 45_000
"""Characters of each: more than are laid out at a time."""


def _rows(cells: int, words: str) -> str:
    line = "|" + f" {words} |" * cells
    return f"{line}\n|{'---|' * cells}\n" + f"{line}\n" * (LENGTH // len(line) + 1)


def _deep(mark: str, levels: int) -> str:
    lines = ["  " * level + f"{mark} level {level}\n" for level in range(levels)]
    return "".join(itertools.islice(itertools.cycle(lines), LENGTH // 30))


def _noise(letters: str, seed: int = 1) -> str:
    source = random.Random(seed)
    return "".join(source.choice(letters) for _ in range(LENGTH))


def _wide_scripts() -> str:
    source = random.Random(2)
    ranges = (
        (0x0600, 0x06FF),
        (0x0900, 0x097F),
        (0x4E00, 0x9FFF),
        (0x1F300, 0x1F6FF),
        (0x0E00, 0x0E7F),
        (0xAC00, 0xD7A3),
    )
    return "".join(chr(source.randint(*source.choice(ranges))) + " " * (source.random() < 0.1) for _ in range(LENGTH))


HOSTILE = {
    "one word": "x" * LENGTH,
    "one line": "word " * (LENGTH // 5),
    "lines of one letter": "a\n" * (LENGTH // 2),
    "paragraphs of one letter": "a\n\n" * (LENGTH // 3),
    "hard breaks": "a  \n" * (LENGTH // 4),
    "empty lines": "a" + "\n" * LENGTH,
    "wide table": _rows(30, "word"),
    "wide table of marks": _rows(30, "**a** `b`"),
    "narrow table": _rows(1, "w"),
    "table of long cells": _rows(3, "word " * 200),
    "table of long words": _rows(30, "w" * 60),
    "many tables": ("| a | b |\n|---|---|\n| c | d |\n\n" * (LENGTH // 30)),
    "many tables without text between": ("| a | b |\n|---|---|\n| c | d |\n\n---\n\n" * (LENGTH // 36)),
    "many wide tables": ((f"|{' a |' * 30}\n|{'---|' * 30}\n|{' b |' * 30}\n\n") * (LENGTH // 360)),
    "deep list": _deep("-", 40),
    "deep numbers": _deep("1.", 20),
    "flat list": "- a\n" * (LENGTH // 4),
    "deep quotes": ("> " * 30 + "a\n\n") * (LENGTH // 63),
    "quote without end": "> a\n" * (LENGTH // 4),
    "many blocks of code": "```\na\n```\n\n" * (LENGTH // 11),
    "many blocks of Python": "```python\nx = 1\n```\n\n" * (LENGTH // 21),
    "code of one line": "```\n" + "x" * LENGTH,
    "code of short lines": "```\n" + "x\n" * (LENGTH // 2),
    "Python of many tokens": "```python\n" + "x=[(1,'a'),{2:b}]\n" * (LENGTH // 18),
    "strings without end": "```python\n" + "'''\"\\\n" * (LENGTH // 6),
    "emphasis": "*a **b " * (LENGTH // 7),
    "every letter in another style": "**a**`b`_c_~~d~~ " * (LENGTH // 17),
    "links": "[a](https://example.org/) " * (LENGTH // 26),
    "brackets": "[" * LENGTH,
    "backticks": _noise("` a"),
    "formulas": "$a_1$ " * (LENGTH // 6),
    "formula without end": "$$\n" + "a_1 + \n" * (LENGTH // 7),
    "addresses": "https://example.org/a " * (LENGTH // 22),
    "headings": "# a\n" * (LENGTH // 4),
    "rules": "---\n\n" * (LENGTH // 5),
    "many scripts": _wide_scripts(),
    "combining marks": "a" + "\u0301" * LENGTH,
    "right to left": "\u05d0\u05d1 a1 " * (LENGTH // 6),
    "tabs": "a\tb\t" * (LENGTH // 4),
    "emoji in families": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * (LENGTH // 7),
    "controls": "\u202e\x00\u200b\ufeff" * (LENGTH // 4),
    "noise": _noise("*_`[]()|#>-+~$\\ \n\tab1."),
    "noise of lists": _noise("- 1.\n  >"),
    "noise of tables": _noise("|-: \na"),
}
