"""The text of an attached file, piece by piece, from the engine that keeps it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.models.engine_words import from_engine
from engine.api import schema


class FileReader(QObject):
    """``send`` gives a request to the engine. :meth:`more` asks for the next piece, of which :attr:`arrived` tells."""

    arrived = Signal(str)
    failed = Signal(str)

    def __init__(
        self, send: Callable[[schema.Request], bool], chat: str, message: str, file: schema.Attachment
    ) -> None:
        super().__init__()
        self._send = send
        self._chat, self._message, self.file = chat, message, file
        self._at = 0
        self._asked = False

    @property
    def whole(self) -> bool:
        """Whether all of it has arrived."""
        return self._at >= self.file.characters

    def more(self) -> None:
        """Ask for the next piece, if there is one."""
        if self._asked or self.whole:
            return
        request = schema.GetText(
            chat=self._chat,
            message=self._message,
            part="attachment",
            attachment=self.file.attachment,
            at=self._at,
            ref=self._ref,
        )
        self._asked = self._send(request)

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.TextPiece(ref=self._ref) if event.at == self._at:
                self._asked = False
                self._at += len(event.text) or self.file.characters
                self.arrived.emit(event.text)
            case schema.RequestFailed(ref=self._ref):
                self._asked = False
                self.failed.emit(from_engine(event.text))

    @property
    def _ref(self) -> str:
        return f"file-{self.file.attachment}"[:64]
