"""Answers that the owner doubts: their receipts go to the network's verifiers, and nothing else does. No widgets."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from app.models.text_reader import TextReader
from app.models.turns import KeptAnswer
from engine.api import schema

_REF = "doubt"


def may_be_doubted(done: schema.ChatDone) -> bool:
    """Whether another machine made the answer; of one's own there is nobody to check."""
    return done.served_by != "local"


def why_not_checked(done: schema.ChatDone) -> str:
    """Why nobody can be asked to check who made an answer, for people; "": somebody can."""
    if not (isinstance(done, KeptAnswer) and done.has_receipt):
        return tr("Nobody can be asked to check the machine: it signed no receipt for this answer.")
    if not done.standings:  # told of each machine wherever there is a committee
        return tr("Nobody can be asked to check the machine: its network has no verifiers.")
    return ""


def disclosed_words() -> str:
    """What is told to whom by handing in a receipt, and what follows from it."""
    return tr(
        "The receipt of this answer is handed in, and nothing else. It says which machine answered, when, with which "
        "model and how many tokens; neither the question nor the answer is in it.\n\n"
        "It goes over anonymous paths to another machine, which brings it to the network's server for the verifiers. "
        "They do not learn that it was you; only where your questions go without relays, that other machine sees your "
        "address. The machine that you doubt, if it ever sees the receipt, knows which question it was.\n\n"
        "Verifiers may check the machine sooner then. Nothing is decided by it, and it cannot be taken back."
    )


class Doubts(QObject):
    """Hands in receipts, one at a time; ``told``: what comes of it, for people."""

    told = Signal(str)

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self._busy = False

    def report(self, reader: TextReader) -> None:
        """Hand in the receipt that ``reader`` reads."""
        if self._busy:
            self.told.emit(tr("Another receipt is being handed in. Try again when that is done."))
            return
        self._busy = True
        self.told.emit(tr("The receipt is being handed in. That can take a minute."))
        reader.failed.connect(self._failed)
        reader.read_all(self._hand_in)

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome() if self._busy:
                self._failed(tr("The engine ended meanwhile. Try again."))
            case schema.SampleReported(ref="doubt"):
                self._end(
                    tr(
                        "Handed in. %Ln machine(s) that signed may be checked sooner; nothing else follows from it.",
                        "",
                        event.machines,
                    )
                )
            case schema.RequestFailed(ref="doubt"):
                self._failed(from_engine(event))

    def _hand_in(self, receipt: str) -> None:
        if not self._send(schema.ReportSample(receipt=_without_text(receipt), ref=_REF)):
            self._failed(tr("The engine does not run yet. Try again in a moment."))

    def _failed(self, reason: str) -> None:
        self._end(tr("The receipt was not handed in. {reason}", reason=reason))

    def _end(self, text: str) -> None:
        self._busy = False
        self.told.emit(text)


def _without_text(receipt: str) -> str:
    """What machines have signed, without the question, the answer and the keys to them, which make it long."""
    content = json.loads(receipt)
    return json.dumps(content | {"parts": [part | {"opening": None} for part in content["parts"]]})
