"""Where found words stand in a text, compared with what the engine's search says."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.search_words import MOST_MARKS, marks
from engine.chats.words import MARK_BEGIN, MARK_END, marked, match_expression


@pytest.mark.parametrize(
    ("text", "query", "words"),
    [
        ("The guard guards; regard it.", "guard", ["guard", "guards"]),
        ("Übermut tut selten gut", "uberm gut", ["Übermut", "gut"]),
        ("a path set, a set path", '"path set"', ["path set"]),
        ("the path   set", '"path set', ["path   set"]),
        ("snake_case_name", "case", ["case"]),
        ("nothing", "", []),
        ("x * y", "* ( .", []),
        ("C++ and c", "c", ["C", "c"]),
    ],
)
def test_words_are_found(text: str, query: str, words: list[str]) -> None:
    assert [text[begin:end] for begin, end in marks(text, query)] == words


def test_there_is_a_bound() -> None:
    assert len(marks("so " * 10_000, "so")) == MOST_MARKS


LETTERS = st.text("abAÄéß_-. 1", max_size=30)


@given(LETTERS, LETTERS)
def test_what_the_engine_marks_is_marked_here(text: str, query: str) -> None:
    expression = match_expression(query)
    if not expression:
        return
    with sqlite3.connect(":memory:") as base:
        base.execute('CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = "unicode61 remove_diacritics 2")')
        base.execute("INSERT INTO t VALUES (?)", (text,))
        call = f"SELECT highlight(t, 0, '{MARK_BEGIN}', '{MARK_END}') FROM t WHERE t MATCH ?"
        row = base.execute(call, (expression,)).fetchone()
    if row is not None:
        _, places = marked(row[0])
        here = {at for begin, end in marks(text, query) for at in range(begin, end)}
        assert {at for begin, end in places for at in range(begin, end) if text[at].isalnum()} <= here
