"""How full the model's context is: a bar and a few words below where questions are typed."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.models.chat_setup import Meter
from app.theme import Theme


class ContextMeter(QAbstractButton):
    """Pressed, it opens what can be done about it."""

    BAR, HEIGHT = 72, 22

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._meter: Meter | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName("contextMeter")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.hide()

    def show_meter(self, meter: Meter | None) -> None:
        """Show ``meter``; None: nothing is known, and nothing shows."""
        if meter == self._meter:
            return
        self._meter = meter
        self.setVisible(meter is not None)
        if meter is not None:
            self.setText(meter.text)
            self.setToolTip(meter.about)
            self.setAccessibleName(meter.text)
            self.setAccessibleDescription(meter.about)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(self.BAR + 3 * self._theme.small + words, self.HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._meter is None:
            return
        theme, middle = self._theme, self.height() / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.focus), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.tiny, theme.tiny)
        words = QRectF(theme.small, 0, self.width() - self.BAR - 3 * theme.small, self.height())
        painter.setPen(QColor(theme.warning if self._meter.full else theme.text if self.underMouse() else theme.quiet))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self.text())
        bar = QRectF(self.width() - self.BAR - theme.small, middle - 2.5, self.BAR, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        if self._meter.share > 0:
            bar.setWidth(max(5.0, self.BAR * self._meter.share))
            painter.setBrush(QColor(theme.warning if self._meter.full else theme.accent))
            painter.drawRoundedRect(bar, 2.5, 2.5)
        painter.end()
