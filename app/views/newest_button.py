"""The way back to the end of the chat, over it while the reader is far from there."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.icons import icon


class NewestButton(QToolButton):
    """Stands at the lower edge of ``area``, in its middle."""

    def __init__(self, theme: Theme, area: QWidget) -> None:
        super().__init__(area)
        self._theme = theme
        self._area = area
        self.setObjectName("newest")
        self.setText(tr("Newest"))
        self.setAccessibleName(tr("Jump to the newest text"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.dress()
        self.hide()

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self.setIcon(icon("arrow-down", self._theme.text))

    def offer(self, needed: bool) -> None:
        """Show, where it belongs now, or hide."""
        self.setVisible(needed)
        if self.isVisible():
            size, area = self.sizeHint(), self._area.rect()
            at = QPoint((area.width() - size.width()) // 2, area.height() - size.height() - self._theme.medium)
            self.setGeometry(QRect(at, size))
            self.raise_()
