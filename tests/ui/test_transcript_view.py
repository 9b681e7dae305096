"""The transcript: what it shows, what it keeps in sight, and that nothing in an answer acts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QScrollArea, QToolButton, QWidget

from app.appearance import dress, wear
from app.models.transcript import ChatTranscript
from app.models.turns import Turn
from app.theme import LIGHT
from app.views.code_header import CodeHeader
from app.views.link_dialog import LinkDialog
from app.views.markdown_tables import MAX_ROWS, WRITTEN_ROWS
from app.views.markdown_view import MarkdownView
from app.views.reader_moves import ReaderMoves
from app.views.reasoning_view import last_thought
from app.views.transcript_view import TranscriptView
from app.views.turn_views import KEPT
from engine.api import schema
from tests.support.transcripts import CHOICE, answer, filled, long_answer, table, turn

HOSTILE = """\
<img src="http://127.0.0.1:9/a.png"><script>alert(1)</script>

![](http://127.0.0.1:9/b.png) ![x](file:///etc/passwd) [y](javascript:alert(1)) <http://127.0.0.1:9/c>

```html
<img src="http://127.0.0.1:9/d.png">
```

| <img src="file:///etc/passwd"> | ![](http://127.0.0.1:9/e.png) |
|---|---|
| <iframe src="http://127.0.0.1:9/"> | x |
"""


@pytest.fixture
def chat(qapp: QApplication) -> Iterator[tuple[ChatTranscript, TranscriptView]]:
    dress(qapp)
    transcript = ChatTranscript(lambda request: True, now=lambda: 100.0)
    view = TranscriptView(LIGHT, transcript)
    wear(view, LIGHT)
    view.resize(900, 600)
    view.show()
    yield transcript, view
    view.close()
    view.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_transcript_that_is_taken_apart_with_the_focus_in_it_says_nothing(qtbot) -> None:
    """As happens at the end of the process."""
    area = QScrollArea()
    area.setWidget(QLineEdit("focused"))
    moves = ReaderMoves(area)
    assert moves.parent() is area
    area.show()
    area.widget().setFocus()
    qtbot.waitUntil(area.widget().hasFocus)
    with qtbot.captureExceptions() as raised:
        shiboken6.delete(area)
    assert raised == []


def settle(view: TranscriptView, condition: Callable[[], bool] = lambda: True) -> None:
    """Until nothing is left to lay out."""
    for _ in range(2000):
        QTest.qWait(1)
        if not view.busy and not view.writing and condition():
            return
    raise AssertionError("the view never comes to rest as it should")


def ask(transcript: ChatTranscript, text: str = "") -> str:
    """A question on its way, with ``text`` as the answer so far; returns its id."""
    transcript.turns.append(
        Turn("And now?", CHOICE, answer_id="asked", question_id="asking", kept=True, begun=True, sent=True)
    )
    transcript.turn_added.emit(len(transcript.turns) - 1)
    write(transcript, text)
    return "asked"


def write(transcript: ChatTranscript, text: str, reasoning: str = "") -> None:
    turn = transcript.turns[-1]
    transcript.receive(
        schema.AnswerDelta(
            chat=transcript.chat,
            message="asked",
            text=text,
            tokens=1,
            at=turn.length,
            reasoning=reasoning,
            reasoning_at=turn.thoughts_length,
        )
    )


def at_end(view: TranscriptView) -> bool:
    bar = view.verticalScrollBar()
    return bar.value() == bar.maximum()


def top_line(view: TranscriptView) -> tuple[str, int]:
    """The first text that shows, and where on the screen it is."""
    for shown in view.turns:
        place = shown.answer.mapTo(view.viewport(), QPoint(0, 0)).y()
        if place + shown.answer.height() > 0:
            cursor = shown.answer.cursorForPosition(QPoint(5, max(0, -place) + 2))
            return cursor.block().text(), place + shown.answer.cursorRect(cursor).top()
    raise AssertionError("nothing shows")


def test_only_what_shows_has_widgets(chat) -> None:
    transcript, view = chat
    filled(transcript, 500)
    settle(view)
    assert at_end(view)
    assert view.turns[-1].turn is transcript.turns[-1]
    source = random.Random(1)
    for _ in range(8):
        view.verticalScrollBar().setValue(source.randrange(view.verticalScrollBar().maximum()))
        settle(view)
        assert 1 <= len(view.turns) <= 8
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(view.viewport().children()) <= 8 + KEPT + 2


def test_every_turn_is_whole_wherever_one_scrolls(chat) -> None:
    transcript, view = chat
    filled(transcript, 15)
    settle(view)
    fresh = MarkdownView(LIGHT, "x")
    for value in range(0, view.verticalScrollBar().maximum(), 3000):
        view.verticalScrollBar().setValue(value)
        settle(view)
        for shown in view.turns:
            fresh.restart()
            fresh.add(shown.turn.answer)
            while fresh.advance():
                pass
            assert shown.answer.toPlainText() == fresh.toPlainText()
            assert shown.question.toPlainText() == shown.turn.question


def test_turns_do_not_overlap(chat) -> None:
    transcript, view = chat
    filled(transcript, 12)
    settle(view)
    for value in (0, 700, 2500):
        view.verticalScrollBar().setValue(value)
        settle(view)
        places = [(shown.y(), shown.y() + shown.height()) for shown in view.turns]
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(places))


def test_follows_an_answer_until_the_reader_scrolls_up(chat) -> None:
    transcript, view = chat
    filled(transcript, 5)
    ask(transcript, "Begin.\n\n")
    for piece in range(30):
        write(transcript, f"Line {piece} of the answer.\n\n")
        settle(view)
        assert at_end(view)
    assert not view.newest.isVisible()
    view.verticalScrollBar().setValue(view.verticalScrollBar().value() - 400)
    settle(view)
    before = top_line(view)
    for piece in range(30):
        write(transcript, f"Line {piece} of the answer.\n\n")
        settle(view)
        assert top_line(view) == before
    assert view.newest.isVisible()
    view.newest.click()
    settle(view)
    assert at_end(view)
    assert not view.newest.isVisible()


def test_what_is_read_stays_where_it_is_while_something_above_changes(chat) -> None:
    transcript, view = chat
    filled(transcript, 40)
    settle(view)
    for value in (9_000, 4_000, 2_000):
        view.verticalScrollBar().setValue(value)
        settle(view)
        before = top_line(view)
        above = transcript.turns[0]
        above.pieces, above.length = [answer(99, 8)], len(answer(99, 8))
        transcript.turn_changed.emit(0)
        view.resize(view.width(), view.height() + 1)
        settle(view)
        assert top_line(view) == before


def test_wheel_over_text_scrolls_the_transcript(chat) -> None:
    transcript, view = chat
    filled(transcript, 5)
    settle(view)
    before = view.verticalScrollBar().value()
    at = QPoint(450, 200)
    assert isinstance(view.childAt(at).parent(), MarkdownView)
    QTest.wheelEvent(view.windowHandle(), QPointF(at), QPoint(0, 120))
    QTest.qWait(10)
    assert view.verticalScrollBar().value() < before


@pytest.mark.parametrize("size", [1, 60])
def test_a_streamed_answer_looks_like_a_whole_one(chat, size: int) -> None:
    transcript, view = chat
    text = long_answer()[:1800]
    ask(transcript)
    for at in range(0, len(text), size):
        write(transcript, text[at : at + size])
        if at % 5 == 0:
            view.turns[-1].flush()
    transcript.receive(done(transcript))
    settle(view)
    streamed = view.turns[-1].answer
    fresh = MarkdownView(LIGHT, "x")
    fresh.resize(streamed.size())
    fresh.show()
    fresh.add(text)
    while fresh.advance():
        pass
    assert streamed.toHtml() == fresh.toHtml()
    assert streamed.height() == fresh.height()
    fresh.close()


def done(transcript: ChatTranscript) -> schema.MessageChanged:
    answer = transcript.turns[-1].answer
    message = schema.StoredMessage(
        message="asked",
        parent="asking",
        role="assistant",
        text=answer[: schema.MAX_PIECE],
        characters=len(answer),
        model=CHOICE.model,
        details=schema.AnswerDetails(finish_reason="stop", badge="local", served_by="local"),
    )
    return schema.MessageChanged(chat=transcript.chat, message=message)


def test_selection_lasts_while_the_answer_grows(chat) -> None:
    transcript, view = chat
    ask(transcript, "The first words.\n\n```python\nx = 1\n")
    settle(view)
    text = view.turns[-1].answer
    cursor = text.textCursor()
    cursor.setPosition(4)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    for piece in ("y = 2\n", "```\n\n", "| a | b |\n", "|---|---|\n", "| c | d |\n", "\nMore *words*."):
        write(transcript, piece)
        settle(view)
        assert text.textCursor().selectedText() == "first"
    filled_before = len(transcript.turns)
    for number in range(20):
        transcript.turns.append(turn(f"Q{number}", answer(number)))
        transcript.turn_added.emit(filled_before + number)
    settle(view)
    assert text.textCursor().selectedText() == "first"  # also out of sight


def test_selection_reaches_over_code_and_tables_and_is_copied_as_text(chat) -> None:
    transcript, view = chat
    transcript.turns.append(
        turn("Q", "One **two**\n\n- three\n\n```\nfour\n  five\n```\n\n| a | b |\n|---|---|\n| c | *d* |\n\nsix")
    )
    transcript.cleared.emit()
    settle(view)
    text = view.turns[-1].answer
    text.selectAll()
    text.copy()
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "One two\n•\tthree\nfour\n  five\na\tb\nc\td\nsix"
    assert data.formats() == ["text/plain"] or not data.hasHtml()


def test_copy_buttons(chat) -> None:
    transcript, view = chat
    source = "Do *this*:\n\n```Python\nx = '*'\n\n```\n\n1. and\n   ```\n   that\n   ```\n"
    transcript.turns.append(turn("Q", source))
    transcript.cleared.emit()
    settle(view)
    headers = view.turns[-1].findChildren(CodeHeader)
    assert [header.language.whole_text for header in headers] == ["Python", "code"]
    assert headers[0].copy.accessibleName() == "Copy the Python code"
    headers[0].copy.click()
    assert QGuiApplication.clipboard().text() == "x = '*'\n\n"
    assert headers[0].copy.text() == "Copied"
    headers[1].copy.click()
    assert QGuiApplication.clipboard().text() == "that\n"
    view.turns[-1].copy.click()
    assert QGuiApplication.clipboard().text() == source


def test_context_menu_offers_what_is_there(chat) -> None:
    transcript, view = chat
    transcript.turns.append(turn("Q", "[words](https://example.org/)\n\n```\ncode\n```\n"))
    transcript.cleared.emit()
    settle(view)
    text = view.turns[-1].answer
    on_link = {action.text(): action for action in text.context_menu(QPoint(12, 12)).actions()}
    assert not on_link["Copy the selection"].isEnabled()
    on_link["Copy the address of the link"].trigger()
    assert QGuiApplication.clipboard().text() == "https://example.org/"
    on_code = {action.text(): action for action in text.context_menu(QPoint(30, text.height() - 30)).actions()}
    assert "Open the link …" not in on_code
    on_code["Copy this code"].trigger()
    assert QGuiApplication.clipboard().text() == "code\n"


def test_links_are_shown_before_they_open(chat, monkeypatch: pytest.MonkeyPatch) -> None:
    transcript, view = chat
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    transcript.turns.append(turn("Q", "[bank.com](https://evil.org/%20x?a=b)"))
    transcript.cleared.emit()
    settle(view)
    text = view.turns[-1].answer
    QTest.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(15, 12))
    dialog = view.findChild(LinkDialog)
    assert opened == []
    assert dialog.host.whole_text == "evil.org"
    assert dialog.address.toPlainText() == "https://evil.org/%20x?a=b"
    assert ["another site" in label.whole_text for label in dialog.warnings] == [True]
    dialog.cancel.click()
    assert opened == []
    LinkDialog(LIGHT, "https://evil.org/", "x", view).go.click()
    assert opened == ["https://evil.org/"]
    LinkDialog(LIGHT, "https://evil.org/", "x", view).copy.click()
    assert QGuiApplication.clipboard().text() == "https://evil.org/"


@pytest.mark.parametrize(
    ("before", "link", "warned"),
    [
        ("[here](https://evil.org) or ", "[https://bank.com](https://evil.org)", True),
        ("[here](https://evil.org)", "[https://bank.com](https://evil.org)", True),
        ("[https://bank.com](https://evil.org) or ", "[here](https://evil.org)", False),
        ("", "[https://**bank**.com](https://evil.org)", True),
        ("| |\n|-|\n| [here](https://evil.org) or ", "[bank.com](https://evil.org) |", True),
    ],
)
@pytest.mark.parametrize("by", ["mouse", "key", "menu"])
def test_the_words_of_the_link_that_is_chosen_are_judged(chat, before: str, link: str, warned: bool, by: str) -> None:
    transcript, view = chat
    transcript.turns.append(turn("Q", f"{before}{link}"))
    transcript.cleared.emit()
    settle(view)
    view.activateWindow()
    text = view.turns[-1].answer
    word = "here" if link.startswith("[here]") else "bank"
    at = QTextCursor(text.document().find(word))
    at.setPosition(at.selectionStart() + 2)
    place = text.cursorRect(at).center()
    if by == "mouse":
        QTest.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place)
    elif by == "menu":
        entries = {action.text(): action for action in text.context_menu(place).actions()}
        entries["Open the link …"].trigger()
    else:
        text.setFocus()
        steps = 2 if " or " in before else 1  # what stands together is one link for the keys
        for _ in range(steps):
            QTest.keyClick(text, Qt.Key.Key_Tab)
        QTest.keyClick(text, Qt.Key.Key_Return)
    dialog = view.findChild(LinkDialog)
    assert dialog.host.whole_text == "evil.org"
    assert [("another site" in label.whole_text) for label in dialog.warnings] == [True] * warned


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "relative", "about:blank"]
)
def test_other_addresses_never_open(chat, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _, view = chat
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    text = MarkdownView(LIGHT, "x")
    chosen: list[object] = []
    text.link_chosen.connect(lambda *said: chosen.append(said))
    text.anchorClicked.emit(QUrl(address))
    LinkDialog(LIGHT, address, "x", view).go.click()
    assert (chosen, opened) == ([], [])


def test_hostile_answers_load_and_run_nothing(chat, monkeypatch: pytest.MonkeyPatch) -> None:
    transcript, view = chat
    asked_for: list[object] = []

    def noted(self: MarkdownView, kind: int, name: object) -> None:
        asked_for.append(name)

    monkeypatch.setattr(MarkdownView, "loadResource", noted)
    transcript.turns.append(turn("Q", HOSTILE))
    transcript.cleared.emit()
    settle(view)
    text = view.turns[-1].answer
    assert asked_for == []
    assert "<img" not in text.toHtml()
    assert "&lt;script&gt;" in text.toHtml()
    assert "alert(1)" in text.toPlainText()
    monkeypatch.undo()
    assert text.loadResource(2, QUrl("file:///etc/passwd")) is None
    assert text.loadResource(2, QUrl("http://127.0.0.1:9/")) is None


def test_links_can_be_reached_with_the_keyboard(chat) -> None:
    transcript, view = chat
    transcript.turns.append(turn("Q", "See [this](https://example.org/a) and [that](https://example.org/b)."))
    transcript.cleared.emit()
    settle(view)
    view.activateWindow()
    text = view.turns[-1].answer
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_Tab)
    QTest.keyClick(text, Qt.Key.Key_Return)
    dialog = view.findChild(LinkDialog)
    assert dialog is not None
    assert dialog.address.toPlainText() == "https://example.org/a"
    dialog.reject()


def test_keys_scroll(chat) -> None:
    transcript, view = chat
    filled(transcript, 20)
    settle(view)
    bar = view.verticalScrollBar()
    QTest.keyClick(view.turns[-1].answer, Qt.Key.Key_PageUp)
    settle(view)
    assert bar.value() < bar.maximum() - 400
    QTest.keyClick(view, Qt.Key.Key_Home)
    settle(view)
    assert bar.value() == 0
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert bar.value() > 0
    QTest.keyClick(view, Qt.Key.Key_End)
    settle(view)
    assert at_end(view)


def test_tab_goes_from_above_to_below(chat) -> None:
    transcript, view = chat
    filled(transcript, 20)
    settle(view)
    view.verticalScrollBar().setValue(2000)
    settle(view, lambda: in_order(view))  # the order is set once things rest


def in_order(view: TranscriptView) -> bool:
    """Whether Tab goes through the answers from above to below."""
    answers: list[QWidget] = [shown.answer for shown in view.turns]
    widget: QWidget | None = view.turns[0].question
    seen = []
    for _ in range(150):
        widget = widget.nextInFocusChain() if widget is not None else None
        if widget in answers:
            seen.append(widget)
    return seen[: len(answers)] == answers


def test_reasoning_is_folded_and_says_how_long(chat) -> None:
    transcript, view = chat
    clock = [100.0]
    transcript._now = lambda: clock[0]
    ask(transcript)
    write(transcript, "", reasoning="First I look.\nThen I **think** about `paths`")
    settle(view)
    thoughts = view.turns[-1].reasoning
    assert thoughts.isVisible()
    assert not thoughts.body.isVisible()
    assert thoughts.summary.whole_text == "Then I think about paths"
    assert thoughts.toggle.text().startswith("Thinking")
    thoughts.toggle.click()
    settle(view)
    assert thoughts.body.isVisible()
    assert thoughts.body.toPlainText().startswith("First I look.")
    clock[0] += 12
    write(transcript, "The answer.")
    settle(view)
    assert thoughts.toggle.text() == "Thought for 12 s"
    assert transcript.turns[-1].answer == "The answer."
    assert view.turns[-1].answer.toPlainText() == "The answer."
    thoughts.toggle.click()
    assert not thoughts.body.isVisible()
    assert "show what the model thought" in thoughts.toggle.accessibleName()


def test_last_thought_is_one_line_of_words() -> None:
    assert last_thought("") == ""
    assert last_thought("# Plan\n\n```\n---\n") == "Plan"
    assert last_thought("a line\n" * 1000 + "- the **last**") == "- the last"


def test_giant_tables_say_what_they_leave_out(chat) -> None:
    transcript, view = chat
    ask(transcript, table(random.Random(1), 250))
    settle(view)
    text = view.turns[-1].answer
    assert f"node-{WRITTEN_ROWS - 1}" in text.toPlainText()
    assert f"{250 - WRITTEN_ROWS} rows more" in text.toPlainText()
    transcript.receive(done(transcript))
    settle(view)
    assert f"node-{MAX_ROWS - 1}" in text.toPlainText()
    assert f"{250 - MAX_ROWS} rows more" in text.toPlainText()


def test_another_width_is_laid_out_anew(chat) -> None:
    transcript, view = chat
    filled(transcript, 10)
    settle(view)
    view.resize(500, 600)
    settle(view)
    assert at_end(view)
    assert all(shown.width() <= 500 for shown in view.turns)
    assert all(shown.answer.document().size().width() <= shown.width() for shown in view.turns)


def test_another_chat_starts_at_its_end(chat) -> None:
    transcript, view = chat
    filled(transcript, 10)
    settle(view)
    view.verticalScrollBar().setValue(0)
    transcript.turns.clear()
    filled(transcript, 3)
    settle(view)
    assert at_end(view)
    assert view.turns[-1].turn is transcript.turns[-1]
    transcript.new_chat()
    settle(view)
    assert view.welcome.isVisible()
    assert view.turns == []


def test_other_colours_are_taken_at_once(chat) -> None:
    transcript, view = chat
    filled(transcript, 3)
    settle(view)
    before = view.turns[-1].answer.toPlainText()
    view.repaint_all()
    settle(view)
    assert view.turns[-1].answer.toPlainText() == before
    assert all(button.accessibleName() or button.text() for button in view.findChildren(QToolButton))
