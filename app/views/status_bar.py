"""The line at the bottom: how the engine and the network are, in words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.status import HOW_TO_JOIN, StatusLine
from app.theme import Theme
from app.views.basics import Dot, LinkButton, PlainLabel


class StatusBar(QWidget):
    """Shows a :class:`StatusLine`."""

    retry_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tone = "busy"
        self.setObjectName("statusBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        theme.changed.connect(self._paint)
        self._help = ""
        self._notes = ""
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.medium, theme.tiny, theme.medium, theme.tiny)
        layout.setSpacing(theme.small)
        self.setFixedHeight(theme.control)
        self._dot = Dot(theme.busy)
        layout.addWidget(self._dot)
        self.text = PlainLabel("", "caption", elided=True)
        layout.addWidget(self.text, 1)
        self.more = LinkButton(tr("How to join"))
        self.more.clicked.connect(self._show_help)
        layout.addWidget(self.more)
        self.notes = LinkButton(tr("Notes"))
        self.notes.clicked.connect(self._show_notes)
        layout.addWidget(self.notes)
        self.retry = LinkButton(tr("Try again"), tr("Try to start the engine again"))
        self.retry.clicked.connect(self.retry_requested)
        layout.addWidget(self.retry)

    def show_notes(self, notes: tuple[str, ...]) -> None:
        """Offer ``notes`` behind a click; none: nothing."""
        self._notes = "\n\n".join(notes)
        self.notes.setText(tr("%Ln note(s)", "", len(notes)))
        self.notes.setAccessibleName(tr("%Ln note(s) of the engine", "", len(notes)))
        self.notes.setVisible(bool(notes))

    def show_line(self, line: StatusLine) -> None:
        """Replace what is shown. What does not fit into one line is behind a click."""
        self._tone = line.tone
        self._paint()
        self.text.show_text(line.text)
        self._help = line.help or (line.text if line.tone in ("warning", "error") else "")
        self.more.setText(tr("How to join") if line.help == tr(HOW_TO_JOIN) else tr("More"))
        self.more.setAccessibleName(self.more.text())
        self.more.setVisible(bool(self._help))
        self.retry.setVisible(line.can_retry)

    def _paint(self) -> None:
        self._dot.set_colour(self._theme.tone(self._tone))
        self._dot.pulse(self._tone == "busy")

    def _show_help(self) -> None:
        help_dialog(self, self.more.text(), self._help, self._theme).open()

    def _show_notes(self) -> None:
        help_dialog(self, tr("Notes of the engine"), self._notes, self._theme).open()


def help_dialog(parent: QWidget, title: str, text: str, theme: Theme) -> QDialog:
    """A window with a longer text, selectable, closed by Escape or Close."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
    layout.setSpacing(theme.large)
    label = PlainLabel(text)
    label.setMinimumWidth(480)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setAccessibleName(text)
    layout.addWidget(label)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout.addWidget(buttons)
    return dialog
