"""Languages are loaded beside the event loop, each once, when code in them shows."""

from __future__ import annotations

import threading
import time

import pytest

from app.markdown import languages
from app.markdown.highlight import Highlighter
from app.markdown.languages import load_language, loaded


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Which threads have loaded what; nothing is there before."""
    threads: list[threading.Thread] = []

    def load(language: str) -> None:
        threads.append(threading.current_thread())
        load_language(language)

    monkeypatch.setattr(languages, "_loaded", set())
    monkeypatch.setattr(languages, "_wished", set(languages.LANGUAGES))  # the thread runs, and has had these
    monkeypatch.setattr(languages, "load_language", load)
    return threads


def test_a_block_of_code_waits_for_its_language_and_no_step_loads_it(
    nothing_loaded: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_wished", set())
    highlighter = Highlighter("kt")
    assert not nothing_loaded  # there is no code yet
    highlighter.update("fun f() = 1\n")
    until = time.monotonic() + 30
    while highlighter.waiting:
        assert time.monotonic() < until
        time.sleep(0.005)
    assert highlighter.busy
    assert highlighter.step()
    assert nothing_loaded
    assert threading.main_thread() not in nothing_loaded


def test_what_a_language_is_written_in_is_loaded_with_it(nothing_loaded: list[threading.Thread]) -> None:
    load_language("HTML")
    assert loaded("html")
    assert loaded("javascript")
    assert loaded("css")
    assert not loaded("python")


@pytest.mark.parametrize("language", ["", "no such language", "../../x"])
def test_what_is_no_language_loads_nothing(nothing_loaded: list[threading.Thread], language: str) -> None:
    load_language(language)
    highlighter = Highlighter(language)
    highlighter.update("x = 1")
    assert not highlighter.busy
    assert not highlighter.waiting
    assert not nothing_loaded
