"""What the engine has not taken yet, on the disk: a window that quits, or is killed, while the engine is away loses no
message."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.models.transcript import ChatTranscript
from app.models.unsent import Unsent
from app.private_files import read_kept, write_kept
from engine.api import schema

SOON_MILLISECONDS = 100
RETRY_MILLISECONDS = 5_000
"""After a disk that did not take it."""
MOST_CHARACTERS = 4_000_000
"""Of all texts together; what is more is kept of the newest chats."""
_MOST_BYTES = 8 * MOST_CHARACTERS


class UnsentFile(QObject):
    """Gives ``chat`` what an earlier window left, and keeps what this one has."""

    failed = Signal(str)
    """Why it cannot be kept, in the system's words; "": it is."""

    def __init__(self, directory: Path, chat: ChatTranscript) -> None:
        super().__init__()
        self._file = directory / schema.UNSENT_NAME
        self._chat = chat
        self._kept = read_kept(self._file, Unsent, _MOST_BYTES)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MILLISECONDS)
        self._soon.timeout.connect(self.keep)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(RETRY_MILLISECONDS)
        self._again.timeout.connect(self.keep)
        self._problem = ""
        chat.owe(self._kept)
        chat.unsent_changed.connect(self._soon.start)
        chat.turn_changed.connect(lambda place: self._soon.start())
        chat.branch_changed.connect(lambda place: self._soon.start())
        chat.files.changed.connect(self._soon.start)

    def keep(self) -> None:
        """Write what there is now, if that is news; nothing leaves no file. What the disk does not take is tried
        again."""
        self._soon.stop()
        self._again.stop()
        unsent = self._chat.unsent().within(MOST_CHARACTERS)
        problem = "" if unsent == self._kept else self._write(unsent)
        if problem:
            self._again.start()
        else:
            self._kept = unsent
        if problem != self._problem:
            self._problem = problem
            self.failed.emit(problem)

    def _write(self, unsent: Unsent) -> str:
        if unsent != Unsent():
            return write_kept(self._file, unsent)
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            return error.strerror or str(error)
        return ""
