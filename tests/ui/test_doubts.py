"""Answers that the owner doubts: the receipt is handed in, after saying what that discloses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from app import i18n
from app.models.doubts import Doubts, disclosed_words, may_be_doubted, why_not_checked
from app.models.engine_words import from_engine
from app.models.text_reader import TextReader
from app.models.turns import KeptAnswer
from app.theme import LIGHT
from app.views.answer_details import AnswerDetails
from app.views.basics import PlainLabel
from app.views.confirm_dialog import ConfirmDialog
from engine.api import schema
from engine.api.service import AnswerDone
from engine.sentences import plain as plain_text
from engine.sentences import say
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until
from tests.ui.test_chat_list import ask
from tests.ui.test_exports import RECEIPT

NODE = "k7wq2mzt5pab3c"
STANDINGS = (schema.MachineStanding(node=NODE, standing="newcomer"),)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    i18n.use("en")


class Engine:
    def __init__(self) -> None:
        self.there = True
        self.requests: list[schema.Request] = []
        self.told: list[str] = []
        self.doubts = Doubts(self.send)
        self.doubts.told.connect(self.told.append)

    def send(self, request: schema.Request) -> bool:
        if self.there:
            self.requests.append(request)
        return self.there

    def doubt(self) -> TextReader:
        reader = TextReader(self.send, schema.GetText(chat="c", message="m", part="receipt"))
        self.doubts.report(reader)
        return reader


def piece(at: int, text: str) -> schema.TextPiece:
    return schema.TextPiece(ref="read-m", chat="c", message="m", at=at, text=text, characters=len(RECEIPT))


def read(reader: TextReader) -> None:
    reader.receive(piece(0, RECEIPT[:100]))
    reader.receive(piece(100, RECEIPT[100:]))


def answer(served_by: str = NODE, **fields: object) -> KeptAnswer:
    values = {"id": "a", "finish_reason": "stop", "model": "m", "prompt_tokens": 1, "completion_tokens": 1, "seed": 1}
    values |= {"served_by": served_by, "badge": "signed", "has_receipt": True, "standings": STANDINGS}
    return KeptAnswer(**(values | fields))


def test_receipt_is_handed_in_without_question_and_answer() -> None:
    engine = Engine()
    reader = engine.doubt()
    read(reader)
    sent = engine.requests[-1]
    assert isinstance(sent, schema.ReportSample)
    whole, handed = json.loads(RECEIPT), json.loads(sent.receipt)
    assert any(part["opening"] for part in whole["parts"])
    assert handed == whole | {"parts": [part | {"opening": None} for part in whole["parts"]]}
    requests = len(engine.requests)
    engine.doubt()
    assert len(engine.requests) == requests, "one at a time"
    assert engine.told[-1].startswith("Another receipt is being handed in")
    engine.doubts.receive(schema.SampleReported(ref="another program's", machines=3))
    assert engine.told[-1].startswith("Another")
    engine.doubts.receive(schema.SampleReported(ref=sent.ref, machines=2))
    assert engine.told[-1].startswith("Handed in. 2 machines that signed may be checked sooner")
    engine.doubt()
    assert len(engine.requests) == requests + 1, "then the next one"


def reading_fails(engine: Engine) -> None:
    failed = schema.RequestFailed(request="get_text", code="chat_not_found", text="It is gone.", ref="read-m")
    engine.doubt().receive(failed)


def engine_refuses(engine: Engine) -> None:
    read(engine.doubt())
    failed = schema.RequestFailed(
        request="report_sample", code="invalid_request", text="It is gone.", ref=engine.requests[-1].ref
    )
    engine.doubts.receive(failed)


def engine_was_not_there(engine: Engine) -> None:
    engine.there = False
    engine.doubt()


def engine_left_while_it_was_read(engine: Engine) -> None:
    reader = engine.doubt()
    reader.receive(piece(0, RECEIPT[:100]))
    engine.there = False
    reader.receive(piece(100, RECEIPT[100:]))


def engine_comes_back(engine: Engine) -> None:
    engine.doubt()
    welcome = schema.Welcome(version=1, engine_version="0")
    engine.doubts.receive(welcome)
    engine.doubts.receive(welcome)


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        (reading_fails, "It is gone."),
        (engine_refuses, "It is gone."),
        (engine_was_not_there, "The engine does not run yet. Try again in a moment."),
        (engine_left_while_it_was_read, "The engine does not run yet. Try again in a moment."),
        (engine_comes_back, "The engine ended meanwhile. Try again."),
    ],
)
def test_what_was_not_handed_in_is_said_and_can_be_tried_again(fails: Callable[[Engine], None], reason: str) -> None:
    engine = Engine()
    fails(engine)
    assert engine.told[1:] == [f"The receipt was not handed in. {reason}"]
    engine.there = True
    engine.requests.clear()
    engine.doubt()
    assert len(engine.requests) == 1


def test_only_who_can_be_checked_is_offered_for_it() -> None:
    assert not may_be_doubted(answer("local"))
    assert may_be_doubted(answer())
    assert why_not_checked(answer()) == ""
    assert "signed no receipt" in why_not_checked(answer(has_receipt=False))
    assert "has no verifiers" in why_not_checked(answer(standings=()))


def test_nothing_lies_over_the_details_of_an_answer_without_a_receipt(qapp: QApplication) -> None:
    details = AnswerDetails(LIGHT)
    details.show_answer(answer("local", has_receipt=False))
    details.resize(600, 300)
    details.show()
    first = details.findChildren(PlainLabel)[0]
    assert details.childAt(first.geometry().center()) is first
    details.hide()
    details.deleteLater()


@pytest.mark.parametrize("code", ["sample.too_old", "sample.unknown_machine", "sample.no_verifiers"])
def test_what_other_machines_refuse_in_plain_text_is_said_in_the_owners_language(code: str) -> None:
    i18n.use("de")
    plain = schema.RequestFailed(request="report_sample", code="invalid_request", text=plain_text(say(code)))
    assert from_engine(plain) == i18n.tr(say(code))
    assert from_engine(plain) != plain.text
    assert "Quittung" in disclosed_words()


class JudgedEngine(PlayedEngine):
    """Its answers have a receipt, in a network with a committee (or without one)."""

    standings: tuple[schema.MachineStanding, ...] = STANDINGS

    async def answer(self, request):
        async for event in super().answer(request):
            if isinstance(event, AnswerDone):
                yield msgspec.structs.replace(event, receipt_export=RECEIPT, standings=self.standings)
            else:
                yield event


async def answered(window: Window) -> QPushButton:
    await until(lambda: window.status.models)
    ask(window, "One?")
    await until(lambda: window.turn.state == "done" and window.turn.done is not None)
    window.view.who.click()
    assert window.view.details.check is not None
    return window.view.details.check


def reported(engine: PlayedEngine) -> list[schema.NetworkRequest]:
    return [one for one in engine.hosting.requests if isinstance(one, schema.ReportSample)]


def notice(window: Window) -> str:
    return window.window.composer.notice.whole_text


def test_a_doubted_machine_is_checked_after_saying_what_is_disclosed(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = JudgedEngine(served_by=NODE)

        async def asked() -> ConfirmDialog:
            check.click()
            await until(lambda: window.window.findChild(ConfirmDialog))
            return window.window.findChild(ConfirmDialog)

        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            check = await answered(window)
            assert check.isEnabled()
            interface = QAccessible.queryAccessibleInterface(check)
            assert interface.text(QAccessible.Text.Name) == "Have the machine checked…"
            assert "that you doubt" in interface.text(QAccessible.Text.Description)
            dialog = await asked()
            shown = " ".join(label.whole_text for label in dialog.findChildren(PlainLabel))
            assert "neither the question nor the answer" in shown
            await until(lambda: QApplication.focusWidget() is not None)
            QTest.keyClick(dialog, Qt.Key.Key_Return)  # the safe answer
            await until(lambda: window.window.findChild(ConfirmDialog) is None)
            assert reported(engine) == []
            (await asked()).accept()
            await until(lambda: notice(window).startswith("Handed in. 1 machine that signed may be checked sooner"))
            assert len(reported(engine)) == 1
            await until(lambda: window.window.findChild(ConfirmDialog) is None)
            engine.hosting.refusal = "The answer was too long ago."
            (await asked()).accept()
            await until(lambda: notice(window) == "The receipt was not handed in. The answer was too long ago.")

    drive(scenario())


def test_where_nobody_can_check_the_reason_stands_below(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = JudgedEngine(served_by=NODE)
        engine.standings = ()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            check = await answered(window)
            assert not check.isEnabled()
            shown = [label.whole_text for label in window.view.details.findChildren(PlainLabel)]
            assert any("has no verifiers" in text for text in shown)

    drive(scenario())
