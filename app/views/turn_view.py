"""One question and its answer: the texts, what is being waited for, what went wrong, and the quiet line below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n import tr
from app.models.alternatives import Alternative
from app.models.turns import RUNNING, Turn
from app.theme import Theme
from app.views.answer_details import AnswerDetails
from app.views.answer_foot import AnswerFoot
from app.views.basics import LinkButton
from app.views.markdown_view import MarkdownView
from app.views.marks import first_mark, mark_words
from app.views.problem_box import ProblemBox
from app.views.question_view import QuestionView
from app.views.reasoning_view import ReasoningView
from app.views.stage_row import StageRow

PAGE = 40_000
"""Characters of one answer that are laid out at a time: Qt lays out as many within 50 ms when the window gets another
width. The rest is a click away."""


class TurnView(QWidget):
    """Shows one :class:`Turn`; call :meth:`show_turn` after each change of it, and :meth:`flush` until it returns
    False. The same view may show another turn later."""

    retry_requested = Signal()
    drop_requested = Signal()
    privacy_chosen = Signal(object)
    alternative_chosen = Signal(object)
    edited = Signal(str)
    edit_changed = Signal()
    version_chosen = Signal(str)
    link_chosen = Signal(str, str)
    file_opened = Signal(str, str)
    receipt_wanted = Signal(str)
    check_wanted = Signal(str)
    height_changed = Signal()

    def __init__(
        self, theme: Theme, turn: Turn, alternatives: Callable[[Turn], Sequence[Alternative]] = lambda turn: ()
    ) -> None:
        super().__init__()
        self._theme = theme
        self._alternatives = alternatives
        self._turn = turn
        self._added = 0
        self._allowed = PAGE
        self._width = 0
        self._found = ("", "")  # words that are marked, and the message for which the chat was opened
        self._marked = True
        self._thoughts: ReasoningView | None = None
        self._problems: ProblemBox | None = None
        self._lay_out(QVBoxLayout(self))
        self._connect()
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
            self._thoughts.body.behind.connect(self.height_changed)
            layout = self.layout()
            assert isinstance(layout, QVBoxLayout)
            layout.insertWidget(1, self._thoughts)
        return self._thoughts

    @property
    def problems(self) -> ProblemBox:
        """What went wrong, and what can be done."""
        if self._problems is None:
            self._problems = box = ProblemBox(self._theme, self._alternatives)
            box.retry_requested.connect(self.retry_requested)
            box.drop_requested.connect(self.drop_requested)
            box.privacy_chosen.connect(self.privacy_chosen)
            box.alternative_chosen.connect(self.alternative_chosen)
            layout = self.layout()
            assert isinstance(layout, QVBoxLayout)
            layout.insertWidget(layout.indexOf(self.foot), box)
        return self._problems

    def show_turn(self, turn: Turn) -> None:
        """Show ``turn`` as it is now. Another object than before is another answer, to the same or another question."""
        if turn is not self._turn:
            self._turn = turn
            self._added = 0
            self._allowed = PAGE
            self.answer.restart()
            self.details.hide()
            self._marked = False
        self.asked.show_turn(turn)
        self.waiting.show_turn(turn)
        self._show_thoughts(turn)
        if turn.state == "failed":
            self.problems.show_turn(turn)
        elif self._problems is not None:
            self._problems.hide()
        if turn.done is None:
            self.details.hide()
        elif self.details.isVisibleTo(self):
            self.details.show_answer(turn.done)
        self.foot.show_turn(turn, self.details.isVisibleTo(self))
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
        return more or (not self._marked and self._mark())

    def look_for(self, words: str, message: str) -> None:
        """Mark these words, as soon as all is laid out, and those in ``message`` more than others."""
        mine = message in (self._turn.question_id, self._turn.answer_id)
        found = (words, message if words and mine else "")
        if found != self._found:
            self._found, self._marked = found, False

    def first_mark(self) -> int | None:
        """How far below the beginning of the turn the first word stands that was looked for in the wanted message; None
        before there is one."""
        text = self.question if self._found[1] == self._turn.question_id else self.answer
        place = first_mark(text)
        return None if place is None else text.mapTo(self, QPoint(0, 0)).y() + place

    def _mark(self) -> bool:
        """Mark what was looked for; whether more of the answer has to be laid out for that."""
        words, wanted = self._found
        self._marked = True
        mark_words(self.question, words, self._theme, wanted=bool(wanted) and wanted == self._turn.question_id)
        in_answer = bool(wanted) and wanted == self._turn.answer_id
        found = mark_words(self.answer, words, self._theme, wanted=in_answer)
        if in_answer and not found and self._allowed < self._turn.length:  # what was found stands further down
            self._allowed += PAGE
            self._marked = False
        return not self._marked

    def finish(self) -> None:
        """Show all that may be shown, however long that takes."""
        while self.flush():
            pass

    def fit(self, width: int) -> int:
        """Be ``width`` pixels wide; returns the height that this takes."""
        if width != self._width:
            self._width = width
            self.asked.fit(width)
            self.foot.fit(width)
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
        self._marked = self._found == ("", "")
        self.asked.dress()
        if self._problems is not None:
            self._problems.dress()
        self.foot.dress()
        if self._thoughts is not None:
            self._thoughts.body.repaint_all()
            self._thoughts.dress()
        self.waiting.dress()
        self.foot.show_turn(self._turn, self.details.isVisibleTo(self))

    @property
    def old_look(self) -> bool:
        """Whether some of what shows of the texts has the colours from before."""
        return self.answer.old_look or (self._thoughts is not None and self._thoughts.body.old_look)

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

    def _lay_out(self, layout: QVBoxLayout) -> None:
        theme = self._theme
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.medium)
        self.asked = QuestionView(theme, self._turn)
        self.question = self.asked.text
        layout.addWidget(self.asked)
        self.answer = MarkdownView(theme, tr("Answer"))
        layout.addWidget(self.answer)
        self.more = LinkButton(tr("Show more"))
        layout.addWidget(self.more)
        self.waiting = StageRow(theme, self._alternatives)
        self.stage = self.waiting.text
        layout.addWidget(self.waiting)
        self.foot = AnswerFoot(theme, self._turn)
        self.badge, self.facts, self.copy, self.who = self.foot.badge, self.foot.facts, self.foot.copy, self.foot.who
        layout.addWidget(self.foot)
        self.details = AnswerDetails(theme)
        layout.addWidget(self.details)

    def _connect(self) -> None:
        self.asked.edited.connect(self.edited)
        self.asked.edit_changed.connect(self.edit_changed)
        self.asked.version_chosen.connect(self.version_chosen)
        self.details.receipt_wanted.connect(lambda: self.receipt_wanted.emit(self._turn.answer_id))
        self.details.check_wanted.connect(lambda: self.check_wanted.emit(self._turn.answer_id))
        self.asked.file_opened.connect(self.file_opened)
        self.asked.height_changed.connect(self.height_changed)
        self.answer.link_chosen.connect(self.link_chosen)
        self.answer.behind.connect(self.height_changed)
        self.waiting.alternative_chosen.connect(self.alternative_chosen)
        self.waiting.height_changed.connect(self.height_changed)
        self.more.clicked.connect(self._show_more)
        self.foot.again_requested.connect(self.retry_requested)
        self.foot.version_chosen.connect(self.version_chosen)
        self.foot.details_wanted.connect(self._unfold_details)

    def _show_more(self) -> None:
        self._allowed += PAGE
        self.flush()
        self.height_changed.emit()

    def _unfold_details(self, wanted: bool) -> None:
        done = self._turn.done
        if wanted and done is not None:
            self.details.show_answer(done)
        self.details.setVisible(wanted)
        self.height_changed.emit()
