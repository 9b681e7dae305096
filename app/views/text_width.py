"""A long text at another width, some of it at a time: Qt would lay all of it out at once and hold the window up."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, QSizeF
from PySide6.QtGui import QTextDocument

AT_ONCE = 4_000
"""Characters that Qt lays out within some milliseconds."""
STEP = 0.004
"""Seconds of one step."""
_PIECE = 1_000
"""Characters between two looks at the clock."""
_ENDLESS = 2**31 - 1
"""The height of a page that never ends, as text widgets have it."""


class NewWidth(QObject):
    """Gives ``document`` another width, from its beginning to its end. Whoever asks meanwhile where something stands
    has it laid out up to there at once, so nothing should be painted before :meth:`step` returns False."""

    def __init__(self, document: QTextDocument, width: int) -> None:
        super().__init__()
        self.width = width
        self._document = document
        self._layout = document.documentLayout()
        self._at = -1

    def step(self) -> bool:
        """Go on; whether there is more to do."""
        until = time.perf_counter() + STEP
        if self._at < 0:
            self._at = 0
            self._layout.installEventFilter(self)
            self._document.setPageSize(QSizeF(self.width, _ENDLESS))
        end = self._document.characterCount() - 1
        while self._at < end and time.perf_counter() < until:
            self._at = min(end, self._at + _PIECE)
            self._layout.blockBoundingRect(self._document.findBlock(self._at))
        if self._at < end:
            return True
        self._layout.removeEventFilter(self)
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's own timer lays out more and more at a time."""
        return event.type() is QEvent.Type.Timer
