"""The text of an attached file, to be read: text and nothing else, whatever the file is called."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase, QTextCursor
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.safe_text import visible
from app.models.text_reader import TextReader
from app.theme import Theme
from app.views.basics import PlainLabel, room_on_screen
from engine.api import schema


class FileDialog(QDialog):
    """Shows what a :class:`TextReader` reads, and asks for more where the reader comes near the end."""

    def __init__(self, theme: Theme, file: schema.Attachment, reader: TextReader, parent: QWidget) -> None:
        super().__init__(parent)
        self._reader = reader
        name = " ".join(visible(file.name).split())
        self.setWindowTitle(name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(QSize(720, 560).boundedTo(room_on_screen(parent)))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
        column.setSpacing(theme.small)
        column.addWidget(PlainLabel(name, "cardTitle"))
        self.about = PlainLabel(tr("%Ln character(s)", "", file.characters), "quiet")
        column.addWidget(self.about)
        self.text = QPlainTextEdit()
        self.text.setObjectName("fileText")
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setTabChangesFocus(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(tr("Text of {name}", name=name))
        flags = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.text.setTextInteractionFlags(flags)
        column.addWidget(self.text, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        self.close_button = QPushButton(tr("Close"))
        self.close_button.clicked.connect(self.reject)
        row.addWidget(self.close_button)
        column.addLayout(row)
        bar = self.text.verticalScrollBar()
        bar.valueChanged.connect(self._scrolled)
        reader.arrived.connect(self._add)
        reader.failed.connect(self.about.show_text)
        reader.more()
        self.text.setFocus()

    def _add(self, text: str) -> None:
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(visible(text))

    def _scrolled(self, value: int) -> None:
        bar = self.text.verticalScrollBar()
        if value >= bar.maximum() - 2 * bar.pageStep():
            self._reader.more()
