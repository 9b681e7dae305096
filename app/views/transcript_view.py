"""The chat: its turns one below the other, or something to begin with."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.models.suggestions import SUGGESTIONS
from app.models.transcript import ChatTranscript
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import icon
from app.views.turn_view import TurnView

FLUSH_MILLISECONDS = 30
"""Text that arrives within this time is shown together."""
_AT_END = 24
"""Pixels from the end within which the reader counts as being there, and the view follows the answer."""


class TranscriptView(QScrollArea):
    """Shows a :class:`ChatTranscript`, and follows its end while the reader is there."""

    retry_requested = Signal()
    privacy_chosen = Signal(object)
    suggestion_chosen = Signal(str)

    def __init__(self, theme: Theme, transcript: ChatTranscript) -> None:
        super().__init__()
        self._theme = theme
        self._transcript = transcript
        self._follow = True
        self.turns: list[TurnView] = []
        self.setObjectName("transcript")
        self.setAccessibleName("Chat")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QWidget()
        page.setObjectName("page")
        self._column = QVBoxLayout(page)
        self._column.setSpacing(theme.huge)
        self.welcome = Welcome(theme)
        self.welcome.chosen.connect(self.suggestion_chosen)
        self._column.addWidget(self.welcome, 1)
        self._column.addStretch()
        self.setWidget(page)
        self._flush = QTimer(self)
        self._flush.setSingleShot(True)
        self._flush.setInterval(FLUSH_MILLISECONDS)
        self._flush.timeout.connect(self._show_text)
        self.verticalScrollBar().rangeChanged.connect(self._range_changed)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        transcript.turn_added.connect(self._add)
        transcript.turn_changed.connect(self._change)
        transcript.answer_restarted.connect(self._change)
        transcript.text_added.connect(self._text_arrived)
        transcript.cleared.connect(self._clear)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """One column of at most the readable width, in the middle."""
        theme = self._theme
        side = max(theme.large, (self.width() - theme.column) // 2)
        bar = self.width() - self.viewport().width()  # the column stays where it is when the scroll bar appears
        self._column.setContentsMargins(side, theme.large, side - bar, theme.large)
        for turn in self.turns:
            turn.set_column(self.width() - 2 * side)

    def _add(self, index: int) -> None:
        view = TurnView(self._theme, self._transcript.turns[index])
        view.retry_requested.connect(self.retry_requested)
        view.privacy_chosen.connect(self.privacy_chosen)
        self.turns.append(view)
        self.welcome.hide()
        self._column.insertWidget(index + 1, view)
        self._follow = True
        self._fit()

    def _change(self, index: int) -> None:
        self.turns[index].show_turn(self._transcript.turns[index])

    def _text_arrived(self, index: int, text: str) -> None:
        if not self._flush.isActive():
            self._flush.start()

    def _show_text(self) -> None:
        if self.turns:
            self.turns[-1].flush()

    def _clear(self) -> None:
        self._flush.stop()
        for view in self.turns:
            self._column.removeWidget(view)
            view.hide()
            view.deleteLater()
        self.turns.clear()
        self.welcome.show()

    def _range_changed(self, minimum: int, maximum: int) -> None:
        if self._follow:
            self.verticalScrollBar().setValue(maximum)

    def _scrolled(self, value: int) -> None:
        self._follow = value >= self.verticalScrollBar().maximum() - _AT_END


class Welcome(QWidget):
    """Instead of an empty chat: what this is, and three questions that surely get an answer."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.small)
        layout.addStretch(2)
        mark = QLabel()
        mark.setPixmap(icon("app").pixmap(QSize(52, 52)))
        mark.setAccessibleName("GenTorrent")
        layout.addWidget(mark, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(theme.small)
        for text, name in (
            ("What would you like to know?", "display"),
            ("The built-in model knows this app. Begin with one of these, or type below.", "quiet"),
        ):
            label = PlainLabel(text, name)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)
        layout.addSpacing(theme.large)
        self.suggestions = []
        for _, question in SUGGESTIONS:
            button = QPushButton(question)
            button.setObjectName("suggestion")
            button.setAccessibleName(f"Ask: {question}")
            button.setFixedWidth(360)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, question=question: self.chosen.emit(question))
            layout.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
            self.suggestions.append(button)
        layout.addStretch(3)
