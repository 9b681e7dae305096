"""One question and its answer: the text, what is being waited for, what went wrong, and the quiet line below."""

from __future__ import annotations

import functools
import time

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models import words
from app.models.safe_text import visible
from app.models.transcript import RUNNING, Turn
from app.theme import Theme
from app.views.basics import Dot, LinkButton, PlainLabel
from app.views.icons import icon
from app.views.text_view import TextView
from engine.api import schema

PAGE = 10_000
"""Characters of one text that are laid out at a time: more would hold the window up. The rest is a click away."""
SHOW_SECONDS_AFTER = 2.0
_BADGE_TONES = {"local": "neutral", "signed": "good", "verified": "good", "unverified": "warning"}


class TurnView(QWidget):
    """Shows one :class:`Turn`; call :meth:`show_turn` after each change of it."""

    retry_requested = Signal()
    privacy_chosen = Signal(object)

    def __init__(self, theme: Theme, turn: Turn) -> None:
        super().__init__()
        self._theme = theme
        self._turn = turn
        self._shown = 0
        self._allowed = PAGE
        self._began = time.monotonic()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.medium)
        self._bubble = self._make_question()
        layout.addWidget(self._bubble, alignment=Qt.AlignmentFlag.AlignRight)
        self.answer = TextView(theme, "Answer")
        layout.addWidget(self.answer)
        self.more = LinkButton("Show more")
        self.more.clicked.connect(self._show_more)
        layout.addWidget(self.more)
        self._stage_row, self.stage = self._make_stage()
        layout.addWidget(self._stage_row)
        self._problem_box = self._make_problem()
        layout.addWidget(self._problem_box)
        self._foot = self._make_foot()
        layout.addWidget(self._foot)
        self.details = _Details(theme)
        layout.addWidget(self.details)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_stage)
        self.show_turn(turn)

    def show_turn(self, turn: Turn) -> None:
        """Show ``turn`` as it is now. Another object than before begins a new answer to the same question."""
        if turn is not self._turn:
            self._turn = turn
            self._shown = 0
            self._allowed = PAGE
            self._began = time.monotonic()
            self.answer.restart()
            self.details.hide()
        running = turn.state in RUNNING
        self._clock.start() if running else self._clock.stop()
        self._stage_row.setVisible(turn.state == "waiting")
        self._dot.pulse(turn.state == "waiting")
        self._show_stage()
        self.problem.show_text(turn.problem)
        self._show_choices(turn)
        self._problem_box.setVisible(turn.state == "failed")
        self._foot.setVisible(not running and turn.state != "failed")
        self.copy.setVisible(turn.length > 0)
        self._show_result(turn)
        self.flush()

    def flush(self) -> None:
        """Show the text that has arrived since the last time."""
        available = min(self._turn.length, self._allowed)
        if available > self._shown:
            self.answer.add(self._turn.answer[self._shown : available])
            self._shown = available
        self.answer.setVisible(self._shown > 0)
        left = self._turn.length - self._shown
        self.more.setVisible(left > 0)
        if left > 0:
            self.more.setText(f"Show more ({left:,} characters)")

    def set_column(self, width: int) -> None:
        """Fit the question's bubble to a column of ``width`` pixels."""
        sides = 2 * self._theme.medium + 8
        self.question.ensurePolished()
        metrics = QFontMetrics(self.question.font())
        lines = visible(self._turn.question[:2000]).expandtabs(4).split("\n")
        needed = max(metrics.horizontalAdvance(line) for line in lines)
        self._bubble.setFixedWidth(max(60, min(needed + sides, int(width * 0.82))))

    def _make_question(self) -> QFrame:
        bubble = QFrame()
        bubble.setObjectName("questionBubble")
        layout = QVBoxLayout(bubble)
        theme = self._theme
        layout.setContentsMargins(theme.medium, theme.small, theme.medium, theme.small - 4)
        self.question = TextView(theme, "Question")
        self.question.add(self._turn.question[:PAGE])
        layout.addWidget(self.question)
        if len(self._turn.question) > PAGE:
            layout.addWidget(PlainLabel(f"… and {len(self._turn.question) - PAGE:,} characters more", "caption"))
        return bubble

    def _make_stage(self) -> tuple[QWidget, PlainLabel]:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(4, 0, 0, 0)
        layout.setSpacing(self._theme.small)
        self._dot = Dot(self._theme.busy)
        layout.addWidget(self._dot)
        text = PlainLabel("", "quiet")
        layout.addWidget(text, 1)
        return row, text

    def _make_problem(self) -> QFrame:
        box = QFrame()
        box.setObjectName("problem")
        column = QVBoxLayout(box)
        theme = self._theme
        column.setContentsMargins(theme.medium, theme.small, theme.small, theme.small)
        layout = QHBoxLayout()
        layout.setSpacing(theme.medium)
        column.addLayout(layout)
        self._choices = QVBoxLayout()
        column.addLayout(self._choices)
        self.choices: list[LinkButton] = []
        self.problem = PlainLabel()
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.problem, 1)
        self.retry = QPushButton(" Retry")
        self.retry.setAccessibleName("Retry: ask this question again")
        self.retry.setIcon(icon("retry", theme.text))
        self.retry.clicked.connect(self.retry_requested)
        layout.addWidget(self.retry, alignment=Qt.AlignmentFlag.AlignTop)
        return box

    def _show_choices(self, turn: Turn) -> None:
        """A button for everything that can be chosen instead of waiting for relays."""
        for button in self.choices:
            self._choices.removeWidget(button)
            button.deleteLater()
        self.choices = []
        for choice in turn.choices if turn.state == "failed" else ():
            text = words.choice_words(choice)
            button = LinkButton(text, f"{text}, for this chat while relays are missing")
            button.clicked.connect(functools.partial(self.privacy_chosen.emit, choice.privacy))
            self._choices.addWidget(button)
            self.choices.append(button)

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        layout = QHBoxLayout(foot)
        layout.setContentsMargins(3, 0, 0, 0)
        layout.setSpacing(self._theme.small)
        self._badge_icon = QLabel()
        layout.addWidget(self._badge_icon)
        self.badge = PlainLabel("", "badge")
        self.badge.setWordWrap(False)
        layout.addWidget(self.badge)
        self.facts = PlainLabel("", "caption", elided=True)
        layout.addWidget(self.facts, 1)
        self.again = LinkButton("Ask again", "Ask this question again")
        self.again.clicked.connect(self.retry_requested)
        layout.addWidget(self.again)
        self.copy = LinkButton("Copy", "Copy the answer")
        self.copy.clicked.connect(self._copy)
        layout.addWidget(self.copy)
        self.who = LinkButton("Who could know what?")
        self.who.setCheckable(True)
        self.who.clicked.connect(lambda: self.details.setVisible(not self.details.isVisible()))
        layout.addWidget(self.who)
        return foot

    def _show_result(self, turn: Turn) -> None:
        done = turn.done
        for widget in (self.badge, self._badge_icon, self.who):
            widget.setVisible(done is not None)
        self.again.setVisible(turn.state == "stopped")
        if done is None:
            kept = " What has arrived is kept." if turn.length else ""
            self.facts.show_text(f"Stopped.{kept}" if turn.state == "stopped" else "")
            self.who.setChecked(False)
            return
        tone = _BADGE_TONES[done.badge]
        self.badge.setProperty("tone", tone)
        self.badge.style().unpolish(self.badge)
        self.badge.style().polish(self.badge)
        self.badge.show_text(words.BADGES[done.badge])
        self.badge.setAccessibleDescription(words.badge_words(done))
        self._badge_icon.setPixmap(icon(done.badge, self._theme.tone(tone)).pixmap(QSize(16, 16)))
        facts = [words.where_words(done), *words.privacy_words(done), *words.speed_words(done)]
        self.facts.show_text(" · ".join(facts))
        self.details.show_answer(done)

    def _show_stage(self) -> None:
        seconds = time.monotonic() - self._began
        waited = f" · {seconds:.0f} s" if seconds >= SHOW_SECONDS_AFTER else ""
        self.stage.show_text(f"{self._turn.stage}{waited}")

    def _show_more(self) -> None:
        self._allowed += PAGE
        self.flush()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(visible(self._turn.answer))


class _Details(QFrame):
    """Behind a click: the badge in words, and who could know what."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("details")
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(theme.medium, theme.medium, theme.medium, theme.medium)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(theme.small)
        self._grid.setColumnMinimumWidth(0, 130)
        self._grid.setColumnStretch(1, 1)
        self._done: object = None
        self.hide()

    def show_answer(self, done: schema.ChatDone) -> None:
        """Fill in; the panel stays as open or closed as it is."""
        if done is self._done:
            return
        self._done = done
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for row, known in enumerate([*words.knowledge(done), *words.about(done)]):
            self._grid.addWidget(_selectable(known.who, "heading"), row, 0, Qt.AlignmentFlag.AlignTop)
            cell = QWidget()
            layout = QVBoxLayout(cell)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(1)
            layout.addWidget(_selectable(known.what, ""))
            if known.nodes:
                layout.addWidget(_selectable(known.nodes, "caption"))
            self._grid.addWidget(cell, row, 1, Qt.AlignmentFlag.AlignTop)


def _selectable(text: str, name: str) -> PlainLabel:
    label = PlainLabel(text, name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
