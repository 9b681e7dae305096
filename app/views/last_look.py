"""How a text looked before it is laid out anew: pictures to show until that is done."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget


class LastLook:
    """Of what shows of ``viewport`` at once, and by :meth:`step` of a window's height above and below it, for who
    scrolls meanwhile. Who scrolls further sees the end of the pictures until the text is there. While one is taken
    (:attr:`taking`) the text itself is to be painted."""

    def __init__(self, viewport: QWidget) -> None:
        self._viewport = viewport
        self._pictures: list[tuple[QRect, QPixmap]] = []
        self._moved = 0
        self.taking = False
        window = viewport.window()
        height = window.height()
        top = viewport.mapFrom(window, QPoint(0, 0)).y()
        near = QRect(0, top - height, viewport.width(), 3 * height) & viewport.rect()
        seen = viewport.visibleRegion().boundingRect()
        if not seen.isValid():
            self._rest = [near] if viewport.isVisible() and near.isValid() else []
            self._whole = near
            return
        self._whole = near | seen
        self._take(seen)
        below = QRect(0, seen.bottom() + 1, near.width(), near.bottom() - seen.bottom())
        above = QRect(0, near.top(), near.width(), seen.top() - near.top())
        self._rest = [rect for rect in (above, below) if rect.isValid()]

    def step(self) -> bool:
        """Take another picture; False when all were taken. The text must still be as it was."""
        if not self._rest:
            return False
        self._take(self._rest.pop())
        return True

    def paint(self, painter: QPainter) -> None:
        """Draw the pictures where they belong, or as near as there are some to what shows now."""
        seen = self._viewport.visibleRegion().boundingRect()
        moved = max(0, seen.bottom() - self._whole.bottom()) + min(0, seen.top() - self._whole.top())
        if moved != self._moved:
            self._moved = moved
            self._viewport.update()
        for rect, picture in self._pictures:
            painter.drawPixmap(rect.topLeft() + QPoint(0, moved), picture)

    def _take(self, rect: QRect) -> None:
        self.taking = True
        self._pictures.append((rect, self._viewport.grab(rect)))
        self.taking = False
