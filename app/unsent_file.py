"""What the engine has not taken yet, on the disk: a window that quits, or is killed, while the engine is away loses no
message."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.models.transcript import ChatTranscript
from app.models.unsent import Unsent
from app.private_files import read_kept, write_kept
from engine.api import schema

SOON_MILLISECONDS = 100
MOST_CHARACTERS = 4_000_000
"""Of all texts together; what is more is kept of the newest chats."""
_MOST_BYTES = 8 * MOST_CHARACTERS


class UnsentFile(QObject):
    """Gives ``chat`` what an earlier window left, and keeps what this one has."""

    def __init__(self, directory: Path, chat: ChatTranscript) -> None:
        super().__init__()
        self._file = directory / schema.UNSENT_NAME
        self._chat = chat
        self._kept = read_kept(self._file, Unsent, _MOST_BYTES)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MILLISECONDS)
        self._soon.timeout.connect(self.keep)
        chat.owe(self._kept)
        chat.unsent_changed.connect(self._soon.start)
        chat.turn_changed.connect(lambda place: self._soon.start())
        chat.branch_changed.connect(lambda place: self._soon.start())
        chat.files.changed.connect(self._soon.start)

    def keep(self) -> None:
        """Write what there is now, if that is news; nothing leaves no file."""
        self._soon.stop()
        unsent = self._chat.unsent().within(MOST_CHARACTERS)
        if unsent == self._kept:
            return
        self._kept = unsent
        if unsent == Unsent():
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
        else:
            write_kept(self._file, unsent)
