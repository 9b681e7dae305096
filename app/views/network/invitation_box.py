"""A text that lets somebody join, as a QR code and to be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.network.qr_code import QrCode

HEIGHT = 140
NARROW = 500
"""Below this width the text stands under the code."""


class InvitationBox(QWidget):
    """Shows one text until it is replaced."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.large)
        self.code = QrCode()
        self._row.addWidget(self.code, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        words = QVBoxLayout()
        words.setSpacing(theme.small)
        self.note = PlainLabel("", "quiet")
        words.addWidget(self.note)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setObjectName("invitation")
        self.text.setAccessibleName(tr("Text to pass on"))
        self.text.setFixedHeight(HEIGHT)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        words.addWidget(self.text)
        self.copy = QPushButton(tr("Copy the text"))
        self.copy.clicked.connect(self._copy)
        words.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        self._row.addLayout(words, 1)
        self.setMinimumWidth(1)  # else it could never become so narrow that the text goes under the code
        self.hide()

    def show_text(self, text: str, note: str) -> None:
        """Show this from now on; "" hides everything."""
        if text != self.code.text:
            self.code.show_text(text)
            self.text.setPlainText(text)
            self.copy.setText(tr("Copy the text"))
        self.note.show_text(note)
        self.setVisible(bool(text))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        down = self.width() < NARROW
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if down else QBoxLayout.Direction.LeftToRight)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.text)
        self.copy.setText(tr("Copied"))
