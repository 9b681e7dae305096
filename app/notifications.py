"""Tells the owner what happened while the window was not in front. Never what was asked or answered: the system keeps
a list of notifications, and shows them on locked screens."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.i18n import tr
from app.models.chats import ChatsModel
from app.models.engine_words import from_engine
from app.models.safe_text import visible
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from app.preferences import Preferences
from app.views.tray import Tray

LONGEST = 200
"""Characters of a reason that are shown."""
_STOPPED = ("paused", "failed")


class Notifier(QObject):
    """``window`` gives the window as it is now; ``preferences`` what may be told. Emits ``told`` for each message."""

    told = Signal(str, str)

    def __init__(
        self,
        tray: Tray,
        chat: ChatTranscript,
        chats: ChatsModel,
        status: StatusModel,
        window: Callable[[], QWidget],
        preferences: Callable[[], Preferences],
    ) -> None:
        super().__init__()
        self._tray = tray
        self._chat = chat
        self._status = status
        self._window = window
        self._preferences = preferences
        self._was = ""
        self.chat = ""
        """The chat that was told of last; empty: the open one."""
        chats.answered.connect(self._other_answered)
        chat.running_changed.connect(self._answer_changed)
        status.changed.connect(self._contributing_changed)

    def _answer_changed(self, running: bool) -> None:
        if running or not self._chat.turns or self._in_front() or not self._preferences().tell_answers:
            return
        state, self.chat = self._chat.turns[-1].state, ""
        if state == "done":
            self._tell(tr("Your answer is ready"), tr("Click here to read it."))
        elif state == "failed":
            self._tell(tr("Your question could not be answered"), tr("Click here to see why, and to ask again."))

    def _other_answered(self, chat: str) -> None:
        """In a chat that is not open; the list marks it in any case."""
        if chat == self._chat.chat or self._in_front() or not self._preferences().tell_answers:
            return
        self.chat = chat
        self._tell(tr("The answer in another chat has come to its end"), tr("Click here to read it."))

    def _contributing_changed(self) -> None:
        state = self._status.state
        if state is None:
            return
        now = state.contributing
        before, self._was = self._was, now.status
        if now.status == before or now.status not in _STOPPED or before in ("", *_STOPPED):
            return
        if self._preferences().tell_contributing and not self._in_front():
            title = tr("Contributing is paused") if now.status == "paused" else tr("Contributing has stopped")
            self.chat = ""
            self._tell(title, visible(from_engine(now, "reason"))[:LONGEST])

    def _in_front(self) -> bool:
        window = self._window()
        return window.isVisible() and window.isActiveWindow()

    def _tell(self, title: str, text: str) -> None:
        self.told.emit(title, text)
        if not self._tray.tell(title, text) and self._window().isVisible():
            QApplication.alert(self._window())  # the entry in the task bar asks for attention
