"""The window: header, chat, composer, status line."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.models.catalogue import BUILTIN, ModelChoice
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from app.theme import Theme
from app.views.composer import Composer
from app.views.header import Header
from app.views.icons import icon
from app.views.status_bar import StatusBar
from app.views.transcript_view import TranscriptView

_UNTIL_KNOWN = ModelChoice(BUILTIN, "local", BUILTIN)
"""Who is asked while the engine still starts and has not said what it has: what every installation has."""


class MainWindow(QMainWindow):
    """Shows one chat and the state of the engine. ``may_close`` says whether the window may close now; when it says
    no, the window is hidden instead."""

    engine_retry_requested = Signal()
    quit_requested = Signal()

    def __init__(self, theme: Theme, chat: ChatTranscript, status: StatusModel) -> None:
        super().__init__()
        self._chat = chat
        self._status = status
        self.may_close: Callable[[], bool] = lambda: True
        self.setWindowTitle("GenTorrent")
        self.setWindowIcon(icon("app"))
        self.setMinimumSize(480, 420)
        self.resize(960, 720)
        self.header = Header(theme)
        self.transcript = TranscriptView(theme, chat)
        self.composer = Composer(theme)
        self.status_bar = StatusBar(theme)
        self._lay_out(theme)
        self._connect()
        self._add_shortcuts()
        self._show_status()
        self.composer.setFocus()

    @property
    def choice(self) -> ModelChoice:
        """Who would be asked now."""
        return self.header.choice or _UNTIL_KNOWN

    def ask(self, question: str) -> None:
        """Ask, as if it had been typed and sent."""
        if self._chat.ask(question, self.choice):
            self.composer.accepted()
            self.composer.setFocus()

    def bring_to_front(self) -> None:
        """Show the window, wherever it is."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.may_close():
            event.accept()
        else:
            event.ignore()
            self.hide()

    def _lay_out(self, theme: Theme) -> None:
        page = QWidget()
        page.setObjectName("page")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.transcript, 1)
        footer = QWidget()
        footer.setObjectName("footer")
        footer.setMaximumWidth(theme.column + 2 * theme.large)
        inner = QVBoxLayout(footer)
        inner.setContentsMargins(theme.large, theme.small, theme.large, theme.small)
        inner.setSpacing(theme.small - 2)
        inner.addWidget(self.composer)
        inner.addWidget(self.status_bar)
        centred = QHBoxLayout()
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(footer, 1000)
        centred.addStretch(1)
        row = QWidget()
        row.setObjectName("page")
        row.setLayout(centred)
        layout.addWidget(row)
        self.setCentralWidget(page)
        QWidget.setTabOrder(self.composer.input, self.composer.send)
        QWidget.setTabOrder(self.composer.send, self.composer.stop)
        QWidget.setTabOrder(self.composer.stop, self.header.models)
        QWidget.setTabOrder(self.header.models, self.header.contribute)
        QWidget.setTabOrder(self.header.contribute, self.header.new_chat)

    def _connect(self) -> None:
        self.composer.submitted.connect(self.ask)
        self.composer.stop_requested.connect(self._chat.stop)
        self.transcript.suggestion_chosen.connect(self.ask)
        self.transcript.retry_requested.connect(lambda: self._chat.retry(self.choice))
        self.transcript.privacy_chosen.connect(lambda privacy: self._chat.accept(privacy, self.choice))
        self.header.new_chat_requested.connect(self._new_chat)
        self.header.contributing_requested.connect(self._status.set_contributing)
        self.status_bar.retry_requested.connect(self.engine_retry_requested)
        self._chat.running_changed.connect(self.composer.show_running)
        self._status.changed.connect(self._show_status)

    def _add_shortcuts(self) -> None:
        for keys, action in (
            (QKeySequence(QKeySequence.StandardKey.New), self._new_chat),
            (QKeySequence("Ctrl+Q"), self.quit_requested.emit),
            (QKeySequence("Ctrl+L"), self.composer.setFocus),
            (QKeySequence("Esc"), self._chat.stop),
        ):
            QShortcut(keys, self).activated.connect(action)

    def _new_chat(self) -> None:
        self._chat.new_chat()
        self.composer.setFocus()

    def _show_status(self) -> None:
        self.header.show_models(self._status.models)
        self.header.show_contribute(self._status.contribute())
        self.status_bar.show_line(self._status.line())
        self.status_bar.show_notes(self._status.notes())
