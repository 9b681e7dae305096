"""A text as a QR code, to be read by another device's camera."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import tr

QUIET = 4
"""Modules around the code that stay empty (ISO/IEC 18004)."""
LEAST_MODULE = 2
SIZE = 264


class QrCode(QWidget):
    """Dark on light in every look: cameras want it so."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[bytes] = []
        self.text = ""
        self.setAccessibleName(tr("QR code of the text beside it"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show this one; "" shows nothing."""
        import segno  # nobody needs it before

        self.text = text
        self._rows = [bytes(row) for row in segno.make(text, error="l", micro=False).matrix] if text else []
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        across = len(self._rows) + 2 * QUIET
        side = across * max(LEAST_MODULE, SIZE // across) if self._rows else 0
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        ratio = self.devicePixelRatioF()
        side = self.width() * ratio // (len(self._rows) + 2 * QUIET) / ratio  # whole pixels, so that all are alike
        edge = (self.width() - len(self._rows) * side) * ratio // 2 / ratio
        for down, row in enumerate(self._rows):
            for across, dark in enumerate(row):
                if dark:
                    box = QRectF(edge + across * side, edge + down * side, side, side)
                    painter.fillRect(box, QColor(0, 0, 0))
        painter.end()
