"""A question as it was asked, at the right of the column: its text, its versions, and a place to write another one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.safe_text import visible
from app.models.turns import Turn
from app.theme import Theme
from app.views.basics import PlainLabel, copy_text
from app.views.composer import QuestionInput
from app.views.file_cards import CardFile, FileCards
from app.views.icons import icon
from app.views.text_view import TextView
from app.views.versions import Versions, quiet_button

QUESTION_PAGE = 10_000
"""Characters of a question that are shown."""
_WIDEST = 0.82
"""The part of the column that a question may take."""


class QuestionView(QWidget):
    """Shows the question of a :class:`Turn`. What is written in its place is kept in the turn."""

    edited = Signal(str)
    """Another wording is to be asked."""
    edit_changed = Signal()
    version_chosen = Signal(str)
    file_opened = Signal(str, str)
    """The question, and which of its files."""
    removal_requested = Signal()
    height_changed = Signal()

    def __init__(self, theme: Theme, turn: Turn) -> None:
        super().__init__()
        self._theme = theme
        self._turn = turn
        self._width = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tiny)
        self.files = FileCards(theme, right=True)
        self.files.opened.connect(lambda file: self.file_opened.emit(self._turn.question_id, file))
        column.addWidget(self.files)
        self.text = TextView(theme, tr("Question"))
        self._beyond = PlainLabel("", "caption")
        self._bubble = self._make_bubble()
        column.addWidget(self._bubble, alignment=Qt.AlignmentFlag.AlignRight)
        self.editor: QuestionEditor | None = None
        self._tools = self._make_tools()
        column.addWidget(self._tools)
        self._show_text()
        self.show_turn(turn)

    def show_turn(self, turn: Turn) -> None:
        """Show the question of ``turn`` as it is now."""
        other = turn.question != self._turn.question
        self._turn = turn
        self.files.show_files([CardFile(one.attachment, one.name, one.characters) for one in turn.files])
        if other:
            self._show_text()
        self.versions.show_versions(turn.question_siblings, turn.question_id)
        self._bubble.setVisible(turn.edit is None and bool(turn.question or not (turn.files or turn.headless)))
        self._tools.setVisible(turn.edit is None and not turn.headless)
        if turn.edit is not None:
            self._show_editor(turn.edit)
        elif self.editor is not None:
            self.editor.hide()

    def fit(self, width: int) -> None:
        """Be in a column ``width`` pixels wide."""
        self._width = width
        sides = 2 * self._theme.medium + 8
        self.text.ensurePolished()
        metrics = QFontMetrics(self.text.font())
        lines = visible(self._turn.question[:2000]).expandtabs(4).split("\n")
        needed = max(metrics.horizontalAdvance(line) for line in lines)
        self._bubble.setFixedWidth(max(60, min(needed + sides, int(width * _WIDEST))))

    def begin_edit(self) -> None:
        """Let the reader write another wording."""
        if self._turn.edit is None:
            self._turn.edit = self._turn.question
            self.show_turn(self._turn)
            self.edit_changed.emit()
            self.height_changed.emit()
        assert self.editor is not None
        self.editor.input.setFocus()

    def end_edit(self) -> None:
        """Show the question as it was asked."""
        focus = QApplication.focusWidget()
        had_focus = self.editor is not None and focus is not None and self.editor.isAncestorOf(focus)
        self._turn.edit = None
        self.show_turn(self._turn)
        self.edit_changed.emit()
        if had_focus:
            self.edit.setFocus()
        self.height_changed.emit()

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self.copy.setIcon(icon("copy", self._theme.quiet))
        self.edit.setIcon(icon("edit", self._theme.quiet))
        self.remove.setIcon(icon("delete", self._theme.quiet))
        self.versions.dress()

    def _show_text(self) -> None:
        question = self._turn.question
        self.text.restart()
        self.text.add(question[:QUESTION_PAGE])
        beyond = max(0, len(question) - QUESTION_PAGE)
        self._beyond.setVisible(beyond > 0)
        if beyond:
            self._beyond.show_text(tr("… and %Ln characters more", "", beyond))
        if self._width:
            self.fit(self._width)

    def _show_editor(self, text: str) -> None:
        if self.editor is None:
            self.editor = QuestionEditor(self._theme)
            self.editor.submitted.connect(self._submit)
            self.editor.cancelled.connect(self.end_edit)
            self.editor.input.textChanged.connect(self._keep)
            layout = self.layout()
            assert isinstance(layout, QVBoxLayout)
            layout.insertWidget(layout.indexOf(self._tools), self.editor)
        if self.editor.input.toPlainText() != text:
            self.editor.input.setPlainText(text)
            self.editor.input.moveCursor(self.editor.input.textCursor().MoveOperation.End)
        self.editor.show()

    def _keep(self) -> None:
        if self.editor is not None and self._turn.edit is not None:
            self._turn.edit = self.editor.input.toPlainText()
            self.edit_changed.emit()
            self.height_changed.emit()

    def _submit(self, text: str) -> None:
        if text.strip() == self._turn.question.strip():
            self.end_edit()
        else:
            self.edited.emit(text)

    def _make_bubble(self) -> QFrame:
        bubble = QFrame()
        bubble.setObjectName("questionBubble")
        layout = QVBoxLayout(bubble)
        theme = self._theme
        layout.setContentsMargins(theme.medium, theme.small, theme.medium, theme.small - 4)
        layout.addWidget(self.text)
        layout.addWidget(self._beyond)
        return bubble

    def _make_tools(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addStretch(1)
        back, forward = tr("Previous version of the question"), tr("Next version of the question")
        self.versions = Versions(self._theme, back, forward)
        self.versions.chosen.connect(self.version_chosen)
        row.addWidget(self.versions)
        self.copy = quiet_button(tr("Copy the question"))
        self.copy.clicked.connect(lambda: copy_text(visible(self._turn.question)))
        row.addWidget(self.copy)
        self.edit = quiet_button(tr("Edit the question"), tr("Edit the question; this version and its answers stay"))
        self.edit.clicked.connect(self.begin_edit)
        row.addWidget(self.edit)
        self.remove = quiet_button(tr("Delete the question"), tr("Delete the question with all that follows it"))
        self.remove.clicked.connect(self.removal_requested)
        row.addWidget(self.remove)
        self.dress()
        return tools


class QuestionEditor(QFrame):
    """Where another wording of a question is written: Enter asks, Escape leaves it as it was."""

    submitted = Signal(str)
    cancelled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("composer")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.medium, theme.small, theme.small, theme.small)
        column.setSpacing(theme.small)
        self.input = QuestionInput()
        self.input.takes_files = False
        self.input.setAccessibleName(tr("Another wording of the question"))
        self.input.setAccessibleDescription(tr("Enter asks, Escape leaves the question as it was."))
        self.input.submitted.connect(self._submit)
        self.input.stop_requested.connect(self.cancelled)
        self.input.focus_changed.connect(self._show_focus)
        self.input.textChanged.connect(self._text_changed)
        self.input.installEventFilter(self)
        column.addWidget(self.input)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        about = PlainLabel(tr("The question before and its answers stay: the arrows lead back to them."), "caption")
        row.addWidget(about, 1)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.clicked.connect(self.cancelled)
        row.addWidget(self.cancel)
        self.ask = QPushButton(tr("Ask"))
        self.ask.setObjectName("primary")
        self.ask.setAccessibleName(tr("Ask this wording"))
        self.ask.clicked.connect(self._submit)
        row.addWidget(self.ask)
        column.addLayout(row)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()  # not the window's, which stops the answer
            return True
        return super().eventFilter(watched, event)

    def _submit(self) -> None:
        text = self.input.toPlainText()
        if text.strip():
            self.submitted.emit(text)

    def _text_changed(self) -> None:
        self.ask.setEnabled(bool(self.input.toPlainText().strip()))

    def _show_focus(self, focused: bool) -> None:
        self.setProperty("focused", focused)
        self.style().unpolish(self)
        self.style().polish(self)
