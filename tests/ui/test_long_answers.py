"""Several long answers that show at once share what a turn of the loop may take: it never adds up."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.appearance import dress, wear
from app.markdown.languages import load_language
from app.markdown.parser import warm_up
from app.models.column import Anchor
from app.models.transcript import ChatTranscript
from app.theme import DARK, LIGHT, Theme
from app.views.transcript_view import TranscriptView
from app.views.turn_view import TurnView
from tests.support.transcripts import long_answer, turn

pytestmark = pytest.mark.alone
MOST = 0.05
"""Seconds of the processor's time between two turns of the loop."""
LONG = (long_answer() * 8)[:40_000]
"""With eleven tables of 25 rows."""


@pytest.fixture
def theme() -> Theme:
    return Theme(LIGHT)


@pytest.fixture
def view(qapp: QApplication, theme: Theme) -> Iterator[TranscriptView]:
    """Three long answers."""
    dress(qapp)
    warm_up()
    load_language("python")
    transcript = ChatTranscript(lambda request: True)
    made = TranscriptView(theme, transcript)
    wear(made, theme)
    transcript.turns += [turn(f"Question {number}", LONG) for number in range(3)]
    transcript.cleared.emit()
    made.resize(900, 600)
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def most(view: TranscriptView, action: Callable[[], object] = lambda: None) -> float:
    """Do this, and let the loop run until all is laid out; the most processor time that a turn took, in seconds."""
    begin = time.thread_time()
    action()
    found = [time.thread_time() - begin]
    while view.busy:
        begin = time.thread_time()
        QApplication.processEvents()
        found.append(time.thread_time() - begin)
    return max(found)


def show_second(view: TranscriptView) -> float:
    """Show the end of the first answer and the beginning of the second one."""

    def go() -> None:
        view._follow, view._anchor = False, Anchor(1, -300)
        view._lay_out()

    return most(view, go)


def show_all(view: TranscriptView) -> float:
    """Be so high that the end of the first, the second and the beginning of the third answer show; nobody has to paint
    so much."""
    view.setUpdatesEnabled(False)
    view.resize(900, 25_000)
    held = [most(view, view.show), show_second(view)]
    assert all(_shows(shown) for shown in view.turns)
    assert len(view.turns) == 3
    return max(held)


def _shows(shown: TurnView) -> bool:
    return shown.answer.visibleRegion().boundingRect().isValid()


def test_three_long_answers_are_shown_and_take_another_look_within_the_time_of_one(
    view: TranscriptView, theme: Theme
) -> None:
    assert show_all(view) < MOST
    for look in (DARK, LIGHT):
        theme.become(look)
        assert most(view, view.repaint_all) < MOST
        for shown in view.turns:
            table = shown.answer._text.shown[2].table
            assert table is not None
            assert table.cellAt(0, 0).format().background().color().name() == look.sunken


def test_three_long_answers_with_a_window_of_usual_size(view: TranscriptView, theme: Theme) -> None:
    """Those stay that have a selection, and the window shows two of them and is painted."""
    most(view, view.show)
    for index in range(3):
        view._go_to(index)
        most(view)
        shown = view._views.get(index)
        assert shown is not None
        shown.question.selectAll()
    show_second(view)
    assert len(view.turns) == 3
    theme.become(DARK)
    held = {"look": most(view, view.repaint_all)}
    held |= {f"width {width}": most(view, functools.partial(view.resize, width, 600)) for width in (700, 640, 900)}
    assert all(held[change] < MOST for change in held), held
    heights = {shown.answer.height() for shown in view.turns}
    assert len(heights) == 1
    assert max(heights) > 20_000


def test_whoever_had_no_time_is_first_in_the_next_turn(
    view: TranscriptView, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_all(view)
    steps: list[TurnView] = []
    flush = TurnView.flush

    def noted(shown: TurnView) -> bool:
        steps.append(shown)
        return flush(shown)

    monkeypatch.setattr(TurnView, "flush", noted)
    monkeypatch.setattr(view._time, "_seconds", 0.0005)  # one step
    theme.become(DARK)
    view.repaint_all()
    for _ in range(12):
        QApplication.processEvents()
    order = [shown for shown, _ in itertools.groupby(steps)]  # one may be so quick that it is served twice
    assert len(order) >= 9
    assert all(len(set(order[at : at + 3])) == 3 for at in range(len(order) - 2))
