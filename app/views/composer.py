"""Where questions are typed: Enter sends, Shift+Enter makes a new line, Escape stops the answer."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import number, tr
from app.models.asking import MAX_QUESTION
from app.models.draft_files import DraftFiles
from app.theme import Theme
from app.views.basics import PlainLabel, announce
from app.views.file_cards import CardFile, FileCards
from app.views.file_drop import local_files
from app.views.icons import ThemeIcon

MOST_LINES = 8
MOST_PASTED = 20_000
"""Characters of a pasted text that stand in the question; a longer one is attached as a file."""


class Composer(QWidget):
    """Emits what is to be asked, and keeps the text until :meth:`accepted`."""

    submitted = Signal(str)
    stop_requested = Signal()
    file_opened = Signal(str)

    def __init__(self, theme: Theme, files: DraftFiles) -> None:
        super().__init__()
        self._files = files
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.tiny)
        self.notice = PlainLabel("", "caption")
        self.notice.hide()
        outer.addWidget(self.notice)
        self.cards = FileCards(theme, removable=True)
        self.cards.opened.connect(self.file_opened)
        self.cards.removed.connect(files.remove)
        outer.addWidget(self.cards)
        self._frame = QFrame()
        self._frame.setObjectName("composer")
        layout = QHBoxLayout(self._frame)
        layout.setContentsMargins(theme.small - 1, theme.small - 1, theme.small - 1, theme.small - 1)
        layout.setSpacing(theme.small)
        self.attach = QToolButton()
        self.attach.setObjectName("tool")
        ThemeIcon(self.attach, theme, "attach", "quiet", size=20)
        about = tr("Attach text files")
        self.attach.setAccessibleName(about)
        self.attach.setToolTip(tr("{action} ({key})", action=about, key=tr("Ctrl+O", "key")))
        self.attach.setFixedSize(theme.control, theme.control)
        self.attach.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.attach.clicked.connect(self.choose_files)
        layout.addWidget(self.attach, alignment=Qt.AlignmentFlag.AlignBottom)
        self.input = QuestionInput()
        self.input.files_offered.connect(files.add_files)
        self.input.text_offered.connect(files.add_text)
        self.input.submitted.connect(self._submit)
        self.input.stop_requested.connect(self.stop_requested)
        self.input.focus_changed.connect(self._show_focus)
        self.input.refused.connect(self.show_notice)
        self.input.textChanged.connect(self._text_changed)
        layout.addWidget(self.input, 1, Qt.AlignmentFlag.AlignVCenter)
        self.send = _round_button(theme, "send", tr("Send the question"), tr("Enter", "key"))
        self.send.clicked.connect(self._submit)
        layout.addWidget(self.send, alignment=Qt.AlignmentFlag.AlignBottom)
        self.stop = _round_button(theme, "stop", tr("Stop the answer"), tr("Esc", "key"))
        self.stop.clicked.connect(self.stop_requested)
        self.stop.hide()
        layout.addWidget(self.stop, alignment=Qt.AlignmentFlag.AlignBottom)
        outer.addWidget(self._frame)
        self.setFocusProxy(self.input)
        self._running = False
        self._waits = False  # it is said that the answer's end has to be waited for
        files.changed.connect(self._show_files)
        files.refused.connect(self.show_notice)
        self._text_changed()

    def show_running(self, running: bool) -> None:
        """While an answer is on its way there is a button to stop it instead of one to send."""
        had_focus = self.send.hasFocus() or self.stop.hasFocus()
        self._running = running
        if self._waits and not running:
            self.notice.hide()
        self.send.setVisible(not running)
        self.stop.setVisible(running)
        if had_focus:
            self.input.setFocus()

    def show_notice(self, text: str) -> None:
        """Say ``text`` until something is typed."""
        self._waits = False
        self.notice.show_text(text)
        self.notice.show()
        announce(self.notice, text)

    def choose_files(self) -> None:
        """Let the owner choose text files of this machine."""
        dialog = QFileDialog(self, tr("Attach text files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._files.add_files)
        dialog.open()

    def show_temporary(self, temporary: bool) -> None:
        """Whether nothing of this chat comes to the disk."""
        about = tr("Temporary chat: nothing of it is kept") if temporary else tr("Ask a question")
        self.input.setPlaceholderText(about)

    def accepted(self) -> None:
        """What was submitted is on its way: make room for the next."""
        self.input.clear()
        self.notice.hide()

    def _submit(self) -> None:
        text = self.input.toPlainText()
        if not (text.strip() or self._files.files) or not self._files.ready:
            return
        if self._running:
            stop = tr("Esc", "key")
            self.show_notice(tr("Wait for the answer, or stop it ({key}). What you have written stays here.", key=stop))
            self._waits = True
        else:
            self.submitted.emit(text)

    def _text_changed(self) -> None:
        self._show_sendable()
        self.notice.hide()

    def _show_sendable(self) -> None:
        text = self.input.document()
        written = text.blockCount() > 1 or bool(text.firstBlock().text().strip())
        self.send.setEnabled((written or bool(self._files.files)) and self._files.ready)

    def _show_files(self) -> None:
        notes = {"reading": tr("Being read"), "sending": tr("Being kept"), "kept": ""}
        shown = [CardFile(one.file, one.name, one.characters, notes[one.state]) for one in self._files.files]
        self.cards.show_files(shown)
        self._show_sendable()

    def _show_focus(self, focused: bool) -> None:
        self._frame.setProperty("focused", focused)
        self._frame.style().unpolish(self._frame)
        self._frame.style().polish(self._frame)


class QuestionInput(QPlainTextEdit):
    """Grows with its text up to some lines; takes plain text only."""

    submitted = Signal()
    stop_requested = Signal()
    focus_changed = Signal(bool)
    refused = Signal(str)
    files_offered = Signal(list)
    text_offered = Signal(object)
    """A text that is too long to stand in the question; an object, as Qt would copy a string of megabytes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Question"))
        self.setAccessibleDescription(tr("Enter sends, Shift and Enter make a new line, Escape stops the answer."))
        self.setPlaceholderText(tr("Ask a question"))
        self.takes_files = True
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
            self.submitted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stop_requested.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text that fits; what is long is offered as a file, and files as they are. What does not fit is refused
        whole and said so, because half a text is worse than none."""
        paths = local_files(source)
        if paths and self.takes_files:
            self.files_offered.emit(paths)
            return
        text = source.text()
        if not text:
            return
        if len(text) > MOST_PASTED and self.takes_files:
            self.text_offered.emit(text)
            return
        room = MAX_QUESTION - self.document().characterCount()
        if len(text) > room:
            self.refused.emit(
                tr(
                    "The text was not pasted: it has {length} characters, and a question can have {most}. "
                    "Paste a part of it.",
                    length=number(len(text)),
                    most=number(MAX_QUESTION),
                )
            )
            return
        self.insertPlainText(text)
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or (self.takes_files and bool(local_files(source)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def _fit(self) -> None:
        # The size of a plain text document is measured in lines.
        lines = min(max(1, int(self.document().size().height())), MOST_LINES)
        margins = self.contentsMargins()
        height = lines * self.fontMetrics().lineSpacing() + 2 * int(self.document().documentMargin())
        self.setFixedHeight(max(24, height + margins.top() + margins.bottom() + 2))
        overflow = int(self.document().size().height()) > MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if overflow else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)


def _round_button(theme: Theme, name: str, accessible_name: str, key: str) -> QPushButton:
    button = QPushButton()
    button.setObjectName("primary")
    ThemeIcon(button, theme, name, "on_accent")
    button.setAccessibleName(accessible_name)
    button.setToolTip(tr("{action} ({key})", action=accessible_name, key=key))
    button.setFixedSize(38, theme.control)
    button.setStyleSheet("padding: 0;")
    return button
