"""Answers that are written to hold the window up do not: neither while they come, nor at another width, nor later."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.appearance import dress, wear
from app.models.transcript import ChatTranscript
from app.models.turns import Turn
from app.theme import LIGHT
from app.views.code_header import CodeHeader
from app.views.markdown_view import MAX_HEADERS, MarkdownView
from app.views.transcript_view import TranscriptView
from engine.api import schema
from tests.support.hostile_answers import HOSTILE
from tests.support.transcripts import CHOICE

pytestmark = pytest.mark.alone
LENGTH, PIECE = 22_000, 2_500
MOST = 0.05
"""Seconds of the processor's time between two turns of the loop."""


class Held:
    """The longest time that the loop was held."""

    def __init__(self) -> None:
        self.most = 0.0

    def do(self, action: object = None) -> None:
        begin = time.thread_time()
        if callable(action):
            action()
        QApplication.processEvents()
        self.most = max(self.most, time.thread_time() - begin)


@pytest.fixture
def chat(qapp: QApplication) -> Iterator[tuple[ChatTranscript, TranscriptView]]:
    dress(qapp)
    transcript = ChatTranscript(lambda request: True)
    view = TranscriptView(LIGHT, transcript)
    wear(view, LIGHT)
    view.resize(900, 600)
    view.show()
    yield transcript, view
    view.close()
    view.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_answer_holds_the_window_up(chat, name: str) -> None:
    transcript, view = chat
    turn = Turn("And now?", CHOICE, answer_id="asked", question_id="asking", kept=True, begun=True, sent=True)
    transcript.turns.append(turn)
    transcript.turn_added.emit(0)
    held = Held()

    def settle() -> None:
        until = time.monotonic() + 120
        while view.busy or view.writing:
            held.do()
            assert time.monotonic() < until

    for at in range(0, LENGTH, PIECE):
        piece = schema.AnswerDelta(
            chat=transcript.chat, message="asked", text=HOSTILE[name][at : at + PIECE], tokens=1, at=turn.length
        )
        held.do(lambda piece=piece: transcript.receive(piece))
        settle()
    turn.state = "stopped"
    held.do(lambda: transcript.turn_changed.emit(0))
    settle()
    held.do(lambda: view.resize(700, 600))
    settle()
    held.do(lambda: view.verticalScrollBar().setValue(0))
    settle()
    held.do(transcript.cleared.emit)
    settle()
    assert held.most < MOST


def test_blocks_of_code_get_their_headers_some_at_a_time(qapp: QApplication) -> None:
    dress(qapp)
    view = MarkdownView(LIGHT, "x")
    view.resize(600, 400)
    view.show()
    view.add("```python\nx = 1\n```\n\n" * (MAX_HEADERS + 20))
    before = 0
    while view.advance():
        there = len(view.findChildren(CodeHeader))
        assert there - before <= 20
        before = there
    headers = view.findChildren(CodeHeader)
    assert len(headers) == MAX_HEADERS
    tops = [header.geometry().top() for header in headers]
    assert tops == sorted(set(tops))
    assert {header.language.whole_text for header in headers} == {"python"}
    view.restart()
    QTest.qWait(1)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not view.findChildren(CodeHeader)
    view.close()
    view.deleteLater()
