"""What models take of the disk: used, by model, free, and the owner's limit."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import tr
from app.models.disk import Share, disk_figures, disk_shares, disk_words
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card, Figures
from engine.api import schema


class DiskCard(Card):
    """Shows a :class:`schema.Room` with the models in it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, tr("Disk"))
        self.figures = Figures(theme)
        self.bar = ShareBar(theme)
        self.words = PlainLabel("", "caption")
        self.freed = PlainLabel("", "caption")
        for widget in (self.figures, self.bar, self.words, self.freed):
            self.column.addWidget(widget)

    def show_room(self, catalogue: schema.Catalogue, freed: str) -> None:
        """Show the newest; ``freed``: what the last removal has freed."""
        shares = disk_shares(catalogue)
        self.figures.show_figures(disk_figures(catalogue.room))
        self.bar.show_shares(shares)
        self.words.show_text(disk_words(shares))
        self.words.setVisible(bool(shares))
        self.freed.show_text(freed)
        self.freed.setVisible(bool(freed))


class ShareBar(QWidget):
    """A bar of parts, the largest first; what is left of it is free."""

    HEIGHT = 10

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shares: list[Share] = []
        self.setFixedHeight(self.HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_shares(self, shares: list[Share]) -> None:
        """Show these."""
        self._shares = shares
        self.setAccessibleName(tr("What models take of the disk: {words}", words=disk_words(shares)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QPainterPath()
        whole.addRoundedRect(QRectF(self.rect()), self.HEIGHT / 2, self.HEIGHT / 2)
        painter.setClipPath(whole)
        painter.fillRect(self.rect(), QColor(self._theme.line))
        left = 0.0
        for place, one in enumerate(self._shares):
            width = one.share * self.width()
            colour = QColor(self._theme.accent)
            colour.setAlphaF(max(0.25, 1.0 - 0.18 * place))
            painter.fillRect(QRectF(left, 0, max(1.0, width - 1), self.HEIGHT), colour)
            left += width
        painter.end()
