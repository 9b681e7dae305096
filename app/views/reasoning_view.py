"""What a model thinks before its answer: one line while it does, and all of it behind a click."""

from __future__ import annotations

import re
import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.turns import RUNNING, Turn
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import icon
from app.views.markdown_view import MarkdownView

_LAST = 400
"""Characters from the end of the thoughts among which the line of summary is looked for."""
_MARKS = re.compile(r"[*_`#>|~$\\]+")


class ReasoningView(QWidget):
    """Shows the thoughts of a :class:`Turn`, folded at first."""

    height_changed = Signal()
    link_chosen = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._turn: Turn | None = None
        self._added = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.tiny)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.small)
        self.toggle = QToolButton()
        self.toggle.setObjectName("fold")
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.toggle.setCursor(Qt.CursorShape.PointingHandCursor)
        self.toggle.toggled.connect(self._fold)
        row.addWidget(self.toggle)
        self.summary = PlainLabel("", "caption", elided=True)
        row.addWidget(self.summary, 1)
        layout.addLayout(row)
        self.body = MarkdownView(theme, tr("What the model thought"), quiet=True)
        self.body.link_chosen.connect(self.link_chosen)
        self._frame = QFrame()
        self._frame.setObjectName("thoughts")
        inner = QHBoxLayout(self._frame)
        inner.setContentsMargins(theme.medium, 0, 0, 0)
        inner.addWidget(self.body)
        layout.addWidget(self._frame)
        self._frame.hide()
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._say)
        self.dress()

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self.toggle.setIcon(icon("arrow-down" if self.toggle.isChecked() else "chevron-right", self._theme.quiet))

    def show_turn(self, turn: Turn) -> None:
        """Show what ``turn`` has by now. The thoughts are laid out only while they are unfolded."""
        if turn is not self._turn:
            self._turn = turn
            self._added = 0
            self.body.restart()
            self.toggle.setChecked(False)
        thinking = turn.thinking_since is not None and turn.thought_seconds is None and turn.state in RUNNING
        self._clock.start() if thinking else self._clock.stop()
        self._say()

    def advance(self) -> bool:
        """Show some more of the thoughts; False when there is no more to do."""
        turn = self._turn
        if turn is None or not self.toggle.isChecked():
            return False
        if turn.thoughts_length > self._added:
            self.body.add(turn.reasoning[self._added :])
            self._added = turn.thoughts_length
        return self.body.advance(writing=turn.thought_seconds is None and turn.state in RUNNING)

    def _fold(self, open_now: bool) -> None:
        self._frame.setVisible(open_now)
        self.dress()
        self._say()
        self.height_changed.emit()

    def _say(self) -> None:
        turn = self._turn
        if turn is None or turn.thinking_since is None:
            return
        if turn.thought_seconds is None:
            seconds = int(time.monotonic() - turn.thinking_since)
            text = tr("Thinking for {seconds} s", seconds=seconds) if seconds else tr("Thinking")
        else:
            text = tr("Thought for {seconds} s", seconds=max(1, round(turn.thought_seconds)))
        self.toggle.setText(text)
        action = tr("hide what the model thought") if self.toggle.isChecked() else tr("show what the model thought")
        self.toggle.setAccessibleName(f"{text}: {action}")
        thinking = turn.thought_seconds is None and not self.toggle.isChecked()
        self.summary.show_text(last_thought(turn.reasoning) if thinking else "")


def last_thought(text: str) -> str:
    """The last line of ``text`` that says something, without marks."""
    for line in reversed(text[-_LAST:].split("\n")):
        words = " ".join(_MARKS.sub("", line).split())
        if len(words) > 3:
            return words
    return ""
