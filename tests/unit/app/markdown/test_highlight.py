"""Colours of code: what is what, in small steps, and never at any price."""

from __future__ import annotations

import pytest
from pygments.lexers import get_all_lexers

from app.markdown.highlight import MAX_CODE, MAX_LINE, TOO_SLOW, Highlighter, Span, colourable
from app.markdown.languages import LANGUAGES, load_language


@pytest.fixture(autouse=True)
def python_is_loaded() -> None:
    load_language("python")


def coloured(language: str, text: str, tokens: int = 10_000) -> dict[int, tuple[Span, ...]]:
    load_language(language)
    highlighter = Highlighter(language)
    highlighter.update(text)
    found: dict[int, tuple[Span, ...]] = {}
    while highlighter.busy:
        found.update(highlighter.step(tokens))
    return found


def test_parts_of_a_line() -> None:
    assert coloured("Python", "def f():  # why\n") == {
        0: (Span(0, 3, "keyword"), Span(4, 1, "name"), Span(10, 5, "comment")),
        1: (),
    }


def test_a_token_over_several_lines_colours_each() -> None:
    found = coloured("python", 'x = """a\n\nb"""\n')
    assert [span.kind for span in found[0]] == ["string", "string"]
    assert found[1] == ()
    assert found[2][0] == Span(0, 1, "string")


@pytest.mark.parametrize("tokens", [1, 3, 50])
def test_small_steps_find_the_same(tokens: int) -> None:
    text = 'class A:\n    """b\n    c"""\n    x = {1: "d"}\n' * 5
    assert coloured("python", text, tokens) == coloured("python", text)


def test_text_that_grows_is_read_again() -> None:
    highlighter = Highlighter("python")
    highlighter.update("x = 'a")
    while highlighter.busy:
        highlighter.step()
    highlighter.update("x = 'a'\ny = 1\n")
    found = dict(highlighter.step())
    assert Span(4, 1, "number") in found[1]
    assert highlighter.step() == []
    assert not highlighter.busy


@pytest.mark.parametrize("language", ["", "no such language", "../../x", "python\n"])
def test_unknown_languages_stay_plain(language: str) -> None:
    assert coloured(language, "def f(): pass") == {}


def test_all_languages_have_a_lexer() -> None:
    known = {alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
    assert set(LANGUAGES.values()) <= known


def test_long_code_and_long_lines_stay_plain() -> None:
    assert colourable("a\n" * MAX_CODE) == "a\n" * (MAX_CODE // 2)
    assert colourable("a\n" + "b" * (MAX_LINE + 1) + "\nc") == "a\n"
    assert colourable("a\nb") == "a\nb"


def test_what_takes_too_long_is_given_up() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += slow
        return now[0]

    slow = 0.0
    highlighter = Highlighter("python", clock)
    highlighter.update("x = 1\n" * 100)
    assert highlighter.step(17)
    slow = TOO_SLOW / 4
    assert highlighter.step(1_000)  # what was read until then keeps its colours
    assert not highlighter.busy
    highlighter.update("x = 1\n" * 200)
    assert not highlighter.busy
    assert highlighter.step() == []
