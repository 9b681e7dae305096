"""Widgets below each other in a column that is laid out anew often, though little of it has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QVBoxLayout, QWidget


class SteadyColumn(QVBoxLayout):
    """Knows how high it is at each width until something in it changes: Qt asks every part of a page for its least
    height whenever one of them changes, and would lay out all texts. It is never squeezed into less than that while
    what is around it has not grown yet: everything would be laid out twice."""

    def __init__(self, parent: QWidget) -> None:
        self._heights: dict[int, int] = {}
        self._least: dict[int, int] = {}
        super().__init__(parent)

    def invalidate(self) -> None:
        self._heights.clear()
        self._least.clear()
        super().invalidate()

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._heights[width] = super().heightForWidth(width)
        return self._heights[width]

    def minimumHeightForWidth(self, width: int) -> int:
        if width not in self._least:
            self._least[width] = super().minimumHeightForWidth(width)
        return self._least[width]

    def setGeometry(self, area: QRect) -> None:
        lacking = self.heightForWidth(area.width()) - area.height()
        super().setGeometry(area.adjusted(0, 0, 0, max(0, lacking)))

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Lay it out once after all of these changes: Qt does after each widget that is shown."""
        self.setEnabled(False)
        try:
            yield
        finally:
            self.setEnabled(True)


class PageColumn(SteadyColumn):
    """``wide`` with its margins, with and without a scroll bar beside it: looking whether there has to be one, Qt asks
    for its height at other widths, too."""

    wide = 0

    def heightForWidth(self, width: int) -> int:
        return super().heightForWidth(self.wide or width)

    def minimumHeightForWidth(self, width: int) -> int:
        return super().minimumHeightForWidth(self.wide or width)
