"""What an empty chat shows."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.suggestions import SUGGESTIONS
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import icon


class Welcome(QWidget):
    """Instead of an empty chat: what this is, and three questions that surely get an answer."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.small)
        layout.addStretch(2)
        mark = QLabel()
        mark.setPixmap(icon("app").pixmap(QSize(52, 52)))
        mark.setAccessibleName("GenTorrent")
        layout.addWidget(mark, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(theme.small)
        for text, name in (
            (tr("What would you like to know?"), "display"),
            (tr("The built-in model knows this app. Begin with one of these, or type below."), "quiet"),
        ):
            label = PlainLabel(text, name)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)
        layout.addSpacing(theme.large)
        self.suggestions = []
        for _, question in SUGGESTIONS:
            button = QPushButton(question)
            button.setObjectName("suggestion")
            button.setAccessibleName(tr("Ask: {question}", question=question))
            button.setFixedWidth(360)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, question=question: self.chosen.emit(question))
            layout.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
            self.suggestions.append(button)
        layout.addStretch(3)
