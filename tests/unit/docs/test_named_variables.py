"""Environment variables that the documents name are read by somebody."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from engine.config import Configuration

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\bGENTORRENT_[A-Z_]+\b")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


@functools.cache
def read_somewhere() -> set[str]:
    sources = [
        *ROOT.glob(".ci/*"),
        *(one for top in ("app", "engine", "tools", "tests") for one in ROOT.glob(f"{top}/**/*.py")),
    ]
    named = {name for source in sources if source.is_file() for name in NAME.findall(source.read_text("utf-8"))}
    return named | {f"GENTORRENT_{field.upper()}" for field in Configuration.__struct_fields__}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_variable_exists(document: Path) -> None:
    assert set(NAME.findall(document.read_text("utf-8"))) <= read_somewhere()
