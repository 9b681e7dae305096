"""F1: which keys do what."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import PlainLabel


def keys() -> list[tuple[str, str]]:
    """(keys, what they do), in the order to show."""
    return [
        (tr("Enter", "key"), tr("Send the question")),
        (tr("Shift+Enter", "key"), tr("Begin a new line")),
        (tr("Ctrl+O", "key"), tr("Attach text files")),
        (tr("Esc", "key"), tr("Stop the answer")),
        (tr("Ctrl+E", "key"), tr("Edit the last question")),
        (tr("Ctrl+R", "key"), tr("Ask the last question again")),
        (tr("Alt+Left, Alt+Right", "key"), tr("Show another version of the question or answer that has the focus")),
        (tr("Ctrl+N", "key"), tr("New chat")),
        (tr("Ctrl+Shift+N", "key"), tr("Temporary chat: nothing of it is written to the disk")),
        (tr("Ctrl+F", "key"), tr("Search all chats")),
        (tr("F3, Shift+F3", "key"), tr("Next or previous message that was found")),
        (tr("Ctrl+B", "key"), tr("Show or hide the list of chats")),
        (tr("Ctrl+I", "key"), tr("Show or hide the chat settings")),
        (tr("F2", "key"), tr("Rename the chat in the list")),
        (tr("Del", "key"), tr("Delete the chat in the list")),
        (tr("Ctrl+M", "key"), tr("Move the chat in the list to a folder")),
        (tr("Ctrl+L", "key"), tr("Put the cursor into the question")),
        (tr("Ctrl+1 to Ctrl+5", "key"), tr("Open a page")),
        (tr("Ctrl+,", "key"), tr("Settings")),
        (tr("Tab", "key"), tr("Go to the next control")),
        (tr("F1", "key"), tr("This overview")),
        (tr("Ctrl+W", "key"), tr("Close the window")),
        (tr("Ctrl+Q", "key"), tr("Quit")),
    ]


def keys_dialog(parent: QWidget, theme: Theme) -> QDialog:
    """The overview; Escape or Close ends it."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(tr("Keys"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
    column.setSpacing(theme.large)
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.huge)
    grid.setVerticalSpacing(theme.small)
    for row, (key, what) in enumerate(keys()):
        for column_number, label in enumerate((PlainLabel(key, "rowTitle"), PlainLabel(what))):
            label.setWordWrap(False)
            grid.addWidget(label, row, column_number)
    grid.setColumnMinimumWidth(0, 150)
    column.addLayout(grid)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    return dialog
