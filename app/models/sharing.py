"""Whether receipts of a few of the owner's answers go to the verifiers by themselves. No widgets."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from engine.api import schema

_REF = "sharing"


class SharingModel(QObject):
    """``changed``: the engine has said what is chosen, or why it could not be."""

    changed = Signal()

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self._looked = False
        self.now: schema.SampleSharing | None = None
        """As the engine says; None before it has."""
        self.problem = ""

    def look(self) -> None:
        """Somebody wants to see it."""
        self._looked = True
        self._send(schema.GetSampleSharing(ref=_REF))

    def choose(self, on: bool) -> None:
        """The owner agrees, or does no more."""
        if not self._send(schema.ShareSamples(on=on, ref=_REF)):
            self.problem = tr("The engine does not run yet. Try again in a moment.")
            self.changed.emit()

    def about(self) -> str:
        """What is so now, beside its switch."""
        if self.problem:
            return self.problem
        if self.now is None:
            return tr("Known as soon as the engine runs")
        if not self.now.on:
            return tr("Receipts are handed in only where you do it yourself.")
        return tr(
            "{percent} of 100 answers of other machines, at most {most} a day; today {today}.",
            percent=self.now.percent,
            most=self.now.most_a_day,
            today=self.now.today,
        )

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome():
                self.now, self.problem = None, ""
                if self._looked:
                    self.look()
            case schema.SampleSharing(ref="sharing"):
                self.now, self.problem = event, ""
            case schema.RequestFailed(ref="sharing"):
                self.problem = from_engine(event)
            case _:
                return
        self.changed.emit()


def consent_words() -> str:
    """What the owner agrees to: what is sent, over which paths, to whom, and what it reveals."""
    return tr(
        "Of 100 answers that other machines give you, 2 are drawn by lot, at most 3 a day. What is sent is the receipt "
        "alone, never a word of question or answer: it says which machine answered, when, with which model and how "
        "many tokens.\n\n"
        "It goes within half an hour over anonymous paths to another machine, which brings it to the network's server "
        "for the verifiers. They do not learn that it was you. Where there are no anonymous paths, nothing is sent. "
        "The machine that answered, if it ever sees the receipt, knows which question it was.\n\n"
        "Verifiers may check that machine sooner then; nothing is decided by it. You can switch this off at any time; "
        "what was sent stays sent."
    )
