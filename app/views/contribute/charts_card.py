"""Live charts beside each other: what this machine writes for others, and what that does to it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.i18n import number, tr
from app.models.contribution import HEAT, LOAD, POWER, TOKENS
from app.models.history import History
from app.theme import Theme
from app.views.cards import Card
from app.views.contribute.live_chart import LiveChart

DRAW_MILLISECONDS = 40
"""Between two charts that are drawn anew: all at once would hold the window up for longer than a frame."""
NARROW = 520
"""Below this width the charts stand below each other."""


class ChartsCard(Card):
    """Charts of what is measured here; a measurement that no device has shows no chart."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, tr("Now"))
        self._room = QWidget()
        self._grid = QGridLayout(self._room)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(theme.medium)
        self.column.addWidget(self._room)
        self.charts = {
            TOKENS: LiveChart(theme, tr("Tokens a second for others"), _tokens),
            LOAD: LiveChart(theme, tr("Load"), _percent, 100.0),
            POWER: LiveChart(theme, tr("Power"), _watts),
            HEAT: LiveChart(theme, tr("Temperature"), _degrees, 100.0),
        }
        self._waiting: list[tuple[LiveChart, History, list[tuple[str, str]]]] = []
        self._drawing = QTimer(self)
        self._drawing.setInterval(DRAW_MILLISECONDS)
        self._drawing.timeout.connect(self._draw_next)
        self._shown: tuple[str, ...] = ()
        self._columns = 0

    def show_history(self, history: History, devices: Sequence[tuple[str, str]]) -> None:
        """``devices``: (id, name) of those that are measured."""
        newest = history.newest
        lines = {TOKENS: [(TOKENS, "")]}
        for kind in (LOAD, POWER, HEAT):
            found = [(f"{kind}/{device}", name) for device, name in devices]
            lines[kind] = [line for line in found if newest.get(line[0]) is not None]
        shown = tuple(kind for kind in self.charts if lines[kind])
        if shown != self._shown:
            self._shown = shown
            self._place(anew=True)
        waiting = [chart for chart, _, _ in self._waiting]
        new = [(self.charts[kind], history, lines[kind]) for kind in shown if self.charts[kind] not in waiting]
        self._waiting += new
        self._drawing.start()

    def _draw_next(self) -> None:
        if not self._waiting:
            self._drawing.stop()
            return
        chart, history, lines = self._waiting.pop(0)
        chart.show_history(history, lines)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self, *, anew: bool = False) -> None:
        columns = 1 if self.width() < NARROW else 2
        if columns == self._columns and not anew:
            return
        self._columns = columns
        for kind, chart in self.charts.items():
            self._grid.removeWidget(chart)
            if kind in self._shown:
                place = self._shown.index(kind)
                wide = len(self._shown) == 1
                self._grid.addWidget(chart, place // columns, place % columns, 1, columns if wide else 1)
                chart.show()
            else:
                chart.hide()
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


def _tokens(value: float) -> str:
    return number(value, 0 if value >= 10 else 1)


def _percent(value: float) -> str:
    return tr("{number} %", number=number(value))


def _watts(value: float) -> str:
    return tr("{number} W", number=number(value))


def _degrees(value: float) -> str:
    return tr("{number} °C", number=number(value))
