"""What stands over a block of code: its language, and a button that copies it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.i18n import tr
from app.markdown.blocks import Code
from app.theme import Theme
from app.views.basics import PlainLabel, copy_text
from app.views.icons import icon
from app.views.markdown_ground import Shown

_COPIED_MILLISECONDS = 1600


class CodeHeader(QWidget):
    """The language of a block of code, and a button that copies it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Shown | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.medium, 0, theme.tiny, 0)
        self.language = PlainLabel("", "caption")
        self.language.setWordWrap(False)
        layout.addWidget(self.language, 1)
        self.copy = QToolButton()
        self.copy.setObjectName("quietButton")
        self.copy.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.copy.setCursor(Qt.CursorShape.PointingHandCursor)
        self.copy.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.copy.clicked.connect(self._copy)
        layout.addWidget(self.copy)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_COPIED_MILLISECONDS)
        self._back.timeout.connect(self.dress)
        self.dress()

    def show_code(self, shown: Shown) -> None:
        """Stand over ``shown``."""
        if shown is self._shown:
            return
        self._shown = shown
        language = shown.block.language if isinstance(shown.block, Code) else ""
        self.language.show_text(language or tr("code", "no language named"))
        name = tr("Copy the {language} code", language=language) if language else tr("Copy the code")
        self.copy.setAccessibleName(name)
        self.copy.setToolTip(name)

    def dress(self) -> None:
        """Look as before a copy, in the theme's colours."""
        self.copy.setText(tr("Copy"))
        self.copy.setIcon(icon("copy", self._theme.quiet))

    def _copy(self) -> None:
        if self._shown is not None and isinstance(self._shown.block, Code):
            copy_text(self._shown.block.text)
            self.copy.setText(tr("Copied"))
            self.copy.setIcon(icon("check", self._theme.good))
            self._back.start()
