"""The widgets of the turns that show: made when they are needed, and used again for others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app.models.turns import Turn
from app.views.turn_view import TurnView

KEPT = 8
"""Views of turns that have gone out of sight and are kept for others."""


_LINE, _COLUMNS, _AROUND = 24, 84, 120
"""For estimates: pixels of a line, letters in it, pixels of a turn without its text."""


class TurnViews:
    """The views by the places of their turns. ``make`` gives a new one."""

    def __init__(self, make: Callable[[Turn], TurnView]) -> None:
        self._make = make
        self._shown: dict[int, TurnView] = {}
        self._spare: OrderedDict[int, TurnView] = OrderedDict()

    def __contains__(self, index: int) -> bool:
        return index in self._shown

    def __iter__(self) -> Iterator[TurnView]:
        """Those that are in use, in the order of their turns."""
        return (self._shown[index] for index in sorted(self._shown))

    def items(self) -> list[tuple[int, TurnView]]:
        """Those that are in use, with their places."""
        return sorted(self._shown.items())

    def get(self, index: int) -> TurnView | None:
        """The view at a place, if there is one."""
        return self._shown.get(index)

    def use(self, index: int, turn: Turn) -> TurnView:
        """The view for ``turn`` at a place: the one that is there, or one that was put by, or a new one."""
        view = self._shown.get(index)
        if view is not None:
            return view
        view = self._spare.pop(index, None)
        if view is None and len(self._spare) >= KEPT // 2:
            _, view = self._spare.popitem(last=False)
        if view is None:
            view = self._make(turn)
        elif view.turn is not turn:
            view.show_turn(turn)
        self._shown[index] = view
        view.show()
        return view

    def let_go(self, needed: range) -> None:
        """Put by those that are not ``needed``, but not those with the keyboard's focus or a selection."""
        focus = QApplication.focusWidget()
        for index, view in list(self._shown.items()):
            if index in needed or (focus is not None and view.isAncestorOf(focus)) or view.has_selection:
                continue
            view.hide()
            self._spare[index] = self._shown.pop(index)
        while len(self._spare) > KEPT:
            _, old = self._spare.popitem(last=False)
            old.deleteLater()

    def move(self, by: int) -> None:
        """So many turns are there before the first."""
        self._shown = {index + by: view for index, view in self._shown.items()}
        self._spare = OrderedDict((index + by, view) for index, view in self._spare.items())

    def change(self, begin: int, turns: Sequence[Turn]) -> None:
        """From the place ``begin`` on there are other turns. The view there stays, and with it the focus in it."""
        for index, view in self.items():
            if index == begin and index < len(turns):
                view.show_turn(turns[index])
            elif index >= begin:
                view.hide()
                self._spare[index] = self._shown.pop(index)

    def forget(self, index: int) -> None:
        """The turn at a place is another one: what was put by for it does not show it."""
        self._spare.pop(index, None)

    def drop_spare(self) -> None:
        """Remove those that do not show."""
        for view in self._spare.values():
            view.deleteLater()
            QCoreApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)
        self._spare.clear()

    def drop(self) -> None:
        """Remove all."""
        self.drop_spare()
        for view in self._shown.values():
            view.hide()
            view.deleteLater()
        self._shown.clear()


def estimate(turn: Turn) -> int:
    """About how high ``turn`` will be, in pixels, before it is laid out."""
    answer = turn.answer
    lines = len(answer) / _COLUMNS + 0.7 * answer.count("\n") + min(len(turn.question), 10_000) / _COLUMNS + 1
    return _AROUND + round(_LINE * lines)
