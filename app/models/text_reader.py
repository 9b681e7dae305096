"""A long text that the engine keeps, piece by piece: an attached file, a receipt."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from engine.api import schema


class TextReader(QObject):
    """``send`` gives a request to the engine, ``request`` names the text. :meth:`more` asks for the next piece, of
    which :attr:`arrived` tells."""

    arrived = Signal(str)
    failed = Signal(str)

    def __init__(self, send: Callable[[schema.Request], bool], request: schema.GetText) -> None:
        super().__init__()
        self._send = send
        self._request = request
        self._ref = f"read-{request.attachment or request.message}"[:64]
        self._at = 0
        self._asked = False
        self.whole = False
        """Whether all of it has arrived."""

    def more(self) -> None:
        """Ask for the next piece, if there is one."""
        if not self._asked and not self.whole:
            self._asked = self._send(msgspec.structs.replace(self._request, at=self._at, ref=self._ref))

    def read_all(self, whole: Callable[[str], None]) -> None:
        """Ask for all of it, and give it away in one."""
        pieces: list[str] = []

        def arrived(text: str) -> None:
            pieces.append(text)
            if self.whole:
                whole("".join(pieces))
            else:
                self.more()

        self.arrived.connect(arrived)
        self.more()
        if not self._asked:
            self.failed.emit(tr("The engine does not run yet. Try again in a moment."))

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.TextPiece(ref=self._ref) if self._asked and event.at == self._at:
                self._asked = False
                self._at += len(event.text)
                self.whole = not event.text or self._at >= event.characters
                self.arrived.emit(event.text)
            case schema.RequestFailed(ref=self._ref):
                self._asked = False
                self.failed.emit(from_engine(event))
