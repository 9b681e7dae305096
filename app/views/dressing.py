"""Another look for a window, one part after the other."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.appearance import wear
from app.theme import Theme

SLICE = 0.008
"""Seconds that dressing takes at a time; then whatever else waits has its turn."""


class Dressing(QObject):
    """Each part of ``window`` wears a style sheet of its own, with all that belongs to it, also menus and dialogs. The
    window stands still until all that shows has the new look, so that nobody sees two looks at once; what is hidden
    gets it when it is shown. It also stands still while ``waits`` says that something has its old colours."""

    def __init__(self, window: QWidget, theme: Theme, waits: Callable[[], bool] = lambda: False) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._waits = waits
        self._parts: list[QWidget] = []
        self._behind: list[QWidget] = []
        self._begun = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._go_on)
        theme.changed.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something that shows has another look than it should."""
        return self._timer.isActive()

    def add(self, *parts: QWidget) -> None:
        """Dress these parts, now and from now on."""
        for part in parts:
            wear(part, self._theme)
            part.installEventFilter(self)
        self._parts += parts

    def drop(self, part: QWidget) -> None:
        """This part is about to go."""
        self._parts.remove(part)
        if part in self._behind:
            self._behind.remove(part)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show and watched in self._behind:
            assert isinstance(watched, QWidget)
            self._dress(watched)
        return False

    def _begin(self) -> None:
        self._behind = list(self._parts)
        self._begun = False
        self._window.setUpdatesEnabled(False)
        self._timer.start()

    def _go_on(self) -> None:
        if not self._begun:  # what follows from the new colours alone, such as icons, is work enough for one turn
            self._begun = True
            self._timer.start()
            return
        until = time.perf_counter() + SLICE
        for part in [part for part in self._behind if part.isVisible()]:
            self._dress(part)
            if time.perf_counter() > until:
                self._timer.start()
                return
        if self._waits():
            self._timer.start()
            return
        self._window.setUpdatesEnabled(True)

    def _dress(self, part: QWidget) -> None:
        self._behind.remove(part)
        wear(part, self._theme)
