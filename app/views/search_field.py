"""The field in which one types what is looked for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QToolButton

from app.i18n import tr
from app.theme import Theme
from app.views.icons import icon

_CLEAR = "_q_qlineeditclearaction"
"""Qt's name of the action that empties a field."""


class SearchField(QLineEdit):
    """Emptied by a mark at its end, which shows as soon as there is something and is reached by keyboard too."""

    def __init__(self, theme: Theme, about: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("find")
        self.setPlaceholderText(about)
        self.setAccessibleName(about)
        self.setClearButtonEnabled(True)
        button = self.findChild(QToolButton)
        assert isinstance(button, QToolButton)
        button.setAccessibleName(tr("End the search"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        clear = self.findChild(QAction, _CLEAR)
        assert isinstance(clear, QAction)
        clear.setIcon(icon("close", self._theme.quiet))
