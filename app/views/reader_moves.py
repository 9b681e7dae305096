"""Where the reader goes in a transcript with the keyboard and the mouse: what has the focus or the caret shows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QScrollBar, QWidget

STEP = 48
"""Pixels of one step."""
_MARGIN = 8


class ReaderMoves(QObject):
    """Scrolls ``area`` to what the reader moves to."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area = area
        QApplication.instance().focusChanged.connect(self._focus_changed)  # type: ignore[union-attr]

    def show_caret(self, caret: QRect) -> None:
        """Scroll so that ``caret`` (in the sender's viewport) shows."""
        sender = self.sender()
        if isinstance(sender, QWidget) and sender.hasFocus():
            top = sender.mapTo(self._area.viewport(), caret.topLeft()).y()
            self._reveal(top, top + caret.height())

    def drag(self, at: QPoint) -> None:
        """Scroll while text is being selected beyond an edge. ``at`` is on the screen."""
        y = self._area.viewport().mapFromGlobal(at).y()
        bar = self._area.verticalScrollBar()
        if y < 0:
            bar.setValue(bar.value() - min(STEP, -y))
        elif y > self._area.viewport().height():
            bar.setValue(bar.value() + min(STEP, y - self._area.viewport().height()))

    def _focus_changed(self, old: QObject | None, now: QObject | None) -> None:
        """Show what the reader has moved the focus to. Where nothing had it that shows, it was not the reader."""
        try:
            viewport = self._area.viewport()
        except RuntimeError:  # it is being taken apart, and the focus leaves it
            return
        moved = isinstance(old, QWidget) and old.isVisible()
        if moved and isinstance(now, QWidget) and viewport.isAncestorOf(now) and now.height() < viewport.height():
            top = now.mapTo(viewport, QPoint(0, 0)).y()
            self._reveal(top, top + now.height())

    def _reveal(self, top: int, bottom: int) -> None:
        bar, height = self._area.verticalScrollBar(), self._area.viewport().height()
        if top < 0:
            bar.setValue(bar.value() + top - _MARGIN)
        elif bottom > height:
            bar.setValue(bar.value() + bottom - height + _MARGIN)


def scroll_by_key(bar: QScrollBar, key: int) -> bool:
    """Move ``bar`` as a key says; whether it is one that scrolls."""
    match key:
        case Qt.Key.Key_PageDown:
            bar.setValue(bar.value() + bar.pageStep())
        case Qt.Key.Key_PageUp:
            bar.setValue(bar.value() - bar.pageStep())
        case Qt.Key.Key_Down:
            bar.setValue(bar.value() + STEP)
        case Qt.Key.Key_Up:
            bar.setValue(bar.value() - STEP)
        case Qt.Key.Key_Home:
            bar.setValue(0)
        case _:
            return False
    return True


def order_focus(views: Sequence[QWidget]) -> None:
    """Tab goes through ``views`` in their order, however late they were made."""
    chain = [widget for view in views for widget in view.findChildren(QWidget) if _takes_tab(widget)]
    for one, other in itertools.pairwise(chain):
        QWidget.setTabOrder(one, other)


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
