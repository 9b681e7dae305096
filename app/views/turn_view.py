"""One question and its answer: the text, what is being waited for, what went wrong, and the quiet line below."""

from __future__ import annotations

import functools
import time

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import number, tr
from app.models import words
from app.models.safe_text import visible
from app.models.turns import RUNNING, Turn
from app.theme import Theme
from app.views.answer_details import AnswerDetails
from app.views.basics import Dot, LinkButton, PlainLabel
from app.views.icons import icon
from app.views.markdown_view import MarkdownView, copy_text
from app.views.reasoning_view import ReasoningView
from app.views.text_view import TextView

PAGE = 200_000
"""Characters of one answer that are laid out at a time. The rest is a click away."""
QUESTION_PAGE = 10_000
"""Characters of a question that are shown."""
SHOW_SECONDS_AFTER = 2.0
_BADGE_TONES = {"local": "neutral", "signed": "good", "verified": "good", "unverified": "warning"}


class TurnView(QWidget):
    """Shows one :class:`Turn`; call :meth:`show_turn` after each change of it, and :meth:`flush` until it returns
    False. The same view may show another turn later."""

    retry_requested = Signal()
    drop_requested = Signal()
    privacy_chosen = Signal(object)
    link_chosen = Signal(str, str)
    height_changed = Signal()

    def __init__(self, theme: Theme, turn: Turn) -> None:
        super().__init__()
        self._theme = theme
        self._turn = turn
        self._added = 0
        self._allowed = PAGE
        self._width = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.medium)
        self._bubble = self._make_question()
        layout.addWidget(self._bubble, alignment=Qt.AlignmentFlag.AlignRight)
        self._thoughts: ReasoningView | None = None
        self.answer = MarkdownView(theme, tr("Answer"))
        self.answer.link_chosen.connect(self.link_chosen)
        layout.addWidget(self.answer)
        self.more = LinkButton(tr("Show more"))
        self.more.clicked.connect(self._show_more)
        layout.addWidget(self.more)
        self._stage_row, self.stage = self._make_stage()
        layout.addWidget(self._stage_row)
        self._problem_box = self._make_problem()
        layout.addWidget(self._problem_box)
        self._foot = self._make_foot()
        layout.addWidget(self._foot)
        self.details = AnswerDetails(theme)
        layout.addWidget(self.details)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_stage)
        self._show_question()
        self.show_turn(turn)

    @property
    def turn(self) -> Turn:
        """What is shown."""
        return self._turn

    @property
    def has_selection(self) -> bool:
        """Whether the reader has selected some of the text."""
        thoughts = self._thoughts is not None and self._thoughts.body.textCursor().hasSelection()
        return thoughts or self.answer.textCursor().hasSelection() or self.question.textCursor().hasSelection()

    @property
    def reasoning(self) -> ReasoningView:
        """What the model thought."""
        if self._thoughts is None:
            self._thoughts = ReasoningView(self._theme)
            self._thoughts.link_chosen.connect(self.link_chosen)
            self._thoughts.height_changed.connect(self.height_changed)
            layout = self.layout()
            assert isinstance(layout, QVBoxLayout)
            layout.insertWidget(1, self._thoughts)
        return self._thoughts

    def show_turn(self, turn: Turn) -> None:
        """Show ``turn`` as it is now. Another object than before is another answer, to the same or another question."""
        if turn is not self._turn:
            asked = self._turn.question
            self._turn = turn
            self._added = 0
            self._allowed = PAGE
            self.answer.restart()
            self.details.hide()
            if turn.question != asked:
                self._show_question()
        running = turn.state in RUNNING
        waiting = turn.state == "waiting"
        self._clock.start() if waiting else self._clock.stop()
        self._stage_row.setVisible(waiting)
        self._dot.pulse(waiting)
        self._show_stage()
        self._show_thoughts(turn)
        self.problem.show_text(turn.problem)
        self._show_choices(turn)
        self._problem_box.setVisible(turn.state == "failed")
        self._foot.setVisible(not running and turn.state != "failed")
        self.copy.setVisible(turn.length > 0)
        self._show_result(turn)
        self._show_length()

    def flush(self) -> bool:
        """Show some of the text that has arrived and is not shown yet; False when there is none left."""
        turn = self._turn
        available = min(turn.length, self._allowed)
        if available > self._added:
            self.answer.add(turn.answer[self._added : available])
            self._added = available
        more = self.answer.advance(writing=turn.state in RUNNING and available == turn.length)
        if self._thoughts is not None and turn.thinking_since is not None:
            self._thoughts.show_turn(turn)
            more = self._thoughts.advance() or more
        self._show_length()
        return more

    def finish(self) -> None:
        """Show all that may be shown, however long that takes."""
        while self.flush():
            pass

    def fit(self, width: int) -> int:
        """Be ``width`` pixels wide; returns the height that this takes."""
        if width != self._width:
            self._width = width
            self._fit_question(width)
        layout = self.layout()
        assert layout is not None
        for _ in range(3):  # the text finds its height only once it has its width
            height: int = (
                layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
            )
            if self.width() == width and self.height() == height:
                break
            self.resize(width, height)
            layout.activate()
        return height

    def repaint_all(self) -> None:
        """Take the colours that the theme has now."""
        self.answer.repaint_all()
        self.retry.setIcon(icon("retry", self._theme.text))
        if self._thoughts is not None:
            self._thoughts.body.repaint_all()
            self._thoughts.dress()
        self._dot.set_colour(self._theme.busy)
        self._show_result(self._turn)

    def _show_length(self) -> None:
        self.answer.setVisible(self._added > 0)
        left = self._turn.length - self._added
        beyond = left if self._added >= self._allowed else 0
        self.more.setVisible(beyond > 0)
        if beyond > 0:
            self.more.setText(tr("Show more (%Ln characters)", "", beyond))

    def _show_thoughts(self, turn: Turn) -> None:
        if turn.thinking_since is not None:
            self.reasoning.show_turn(turn)
            self.reasoning.show()
        elif self._thoughts is not None:
            self._thoughts.hide()

    def _show_question(self) -> None:
        question = self._turn.question
        self.question.restart()
        self.question.add(question[:QUESTION_PAGE])
        beyond = max(0, len(question) - QUESTION_PAGE)
        self._beyond.setVisible(beyond > 0)
        if beyond:
            self._beyond.show_text(tr("… and %Ln characters more", "", beyond))
        if self._width:
            self._fit_question(self._width)

    def _fit_question(self, width: int) -> None:
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
        self.question = TextView(theme, tr("Question"))
        layout.addWidget(self.question)
        self._beyond = PlainLabel("", "caption")
        layout.addWidget(self._beyond)
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
        self.retry = QPushButton(tr(" Retry"))
        self.retry.setAccessibleName(tr("Retry: ask this question again"))
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
            button = LinkButton(text, tr("{choice}, for this chat while relays are missing", choice=text))
            button.clicked.connect(functools.partial(self.privacy_chosen.emit, choice.privacy))
            self._add_choice(button)
        if turn.state == "failed" and turn.droppable:
            button = LinkButton(tr("Ask without the %Ln oldest message(s)", "", turn.droppable))
            button.clicked.connect(self.drop_requested)
            self._add_choice(button)

    def _add_choice(self, button: LinkButton) -> None:
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
        self.again = LinkButton(tr("Ask again"), tr("Ask this question again"))
        self.again.clicked.connect(self.retry_requested)
        layout.addWidget(self.again)
        self.copy = LinkButton(tr("Copy"), tr("Copy the answer"))
        self.copy.setToolTip(tr("Copy the answer as Markdown"))
        self.copy.clicked.connect(self._copy)
        layout.addWidget(self.copy)
        self.who = LinkButton(tr("Who could know what?"))
        self.who.setCheckable(True)
        self.who.clicked.connect(self._unfold_details)
        layout.addWidget(self.who)
        return foot

    def _show_result(self, turn: Turn) -> None:
        done = turn.done
        for widget in (self.badge, self._badge_icon, self.who):
            widget.setVisible(done is not None)
        self.again.setVisible(turn.state == "stopped")
        if done is None:
            sentences = [tr("Stopped."), *([tr("What has arrived is kept.")] if turn.length else [])]
            self.facts.show_text(" ".join(sentences) if turn.state == "stopped" else "")
            self.who.setChecked(False)
            return
        tone = _BADGE_TONES[done.badge]
        if self.badge.property("tone") != tone:
            self.badge.setProperty("tone", tone)
            self.badge.style().unpolish(self.badge)
            self.badge.style().polish(self.badge)
        self.badge.show_text(tr(words.BADGES[done.badge]))
        self.badge.setAccessibleDescription(words.badge_words(done))
        self._badge_icon.setPixmap(icon(done.badge, self._theme.tone(tone)).pixmap(QSize(16, 16)))
        facts = [words.where_words(done), *words.privacy_words(done), *words.speed_words(done)]
        self.facts.show_text(" · ".join(facts))
        self.who.setChecked(self.details.isVisibleTo(self))
        if self.details.isVisibleTo(self):
            self.details.show_answer(done)

    def _show_stage(self) -> None:
        seconds = time.monotonic() - self._turn.began if self._turn.began else 0.0
        waited = tr(" · {seconds} s", seconds=number(seconds)) if seconds >= SHOW_SECONDS_AFTER else ""
        self.stage.show_text(f"{self._turn.stage}{waited}")

    def _show_more(self) -> None:
        self._allowed += PAGE
        self.flush()
        self.height_changed.emit()

    def _copy(self) -> None:
        copy_text(visible(self._turn.answer))

    def _unfold_details(self) -> None:
        done = self._turn.done
        if self.who.isChecked() and done is not None:
            self.details.show_answer(done)
        self.details.setVisible(self.who.isChecked())
        self.height_changed.emit()
