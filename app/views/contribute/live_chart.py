"""The last ten minutes of a measurement as lines: name and newest value above, drawn by pyqtgraph.

pyqtgraph is imported when the first chart shows, in a thread of its own, as it takes several frames: until then the
chart is empty. A chart that does not show draws nothing.
"""

from __future__ import annotations

import importlib
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QFont, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.i18n import number, tr
from app.models.history import SECONDS, History
from app.theme import Theme
from app.views.basics import PlainLabel

HEIGHT = 104
MOST_LINES = 4
MOST_POINTS = 200
"""Of a line, which is about three pixels a point."""
LOOK_MILLISECONDS = 15
"""Between two looks whether a chart can be made; one of them is, or drawn for the first time, at each."""
_loading: list[threading.Thread] = []
_loaded: list[Any] = []


def _load() -> None:
    module = importlib.import_module("pyqtgraph")
    module.setConfigOptions(antialias=True)
    _loaded.append(module)


def drawing() -> Any | None:
    """pyqtgraph, or None while it is on its way."""
    if not _loading:
        thread = threading.Thread(target=_load, name="pyqtgraph", daemon=True)
        _loading.append(thread)
        thread.start()
    return _loaded[0] if _loaded else None


class _Turns:
    """Charts that come at the same time are made one after the other, with the event loop in between."""

    def __init__(self) -> None:
        self._free = 0.0

    @property
    def free(self) -> bool:
        """Whether no other has just had its turn."""
        return time.monotonic() >= self._free

    def end(self) -> None:
        """One has had its turn."""
        self._free = time.monotonic() + LOOK_MILLISECONDS / 2000


_turns = _Turns()


def nice_top(most: float, least: float) -> float:
    """The end of a scale that holds ``most`` and is no less than ``least``: 1, 2 or 5 times a power of ten."""
    most = max(most, least)
    power = 10.0 ** math.floor(math.log10(most)) if most > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10) if step * power >= most * 0.9999)


class LiveChart(QWidget):
    """One measurement of one or several things. ``words`` says a value for people; ``top`` is a fixed end of the
    scale, 0 for one that follows the values."""

    def __init__(self, theme: Theme, name: str, words: Callable[[float], str], top: float = 0.0) -> None:
        super().__init__()
        self._theme, self._name, self._words, self._top = theme, name, words, top
        self._history: History | None = None
        self._lines: Sequence[tuple[str, str]] = ()
        self._plot: Any = None
        self._curves: list[Any] = []
        self._scale = 0.0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.tiny)
        head = QHBoxLayout()
        head.addWidget(PlainLabel(name, "caption", elided=True), 1)
        self.now = PlainLabel("", "chartValue")
        self.now.setWordWrap(False)
        head.addWidget(self.now)
        self._column.addLayout(head)
        self._room = QWidget()
        self._room.setFixedHeight(HEIGHT)
        self._column.addWidget(self._room)
        self._waiting = QTimer(self)
        self._waiting.setInterval(LOOK_MILLISECONDS)
        self._waiting.timeout.connect(self._begin)
        theme.changed.connect(self._paint)

    @property
    def drawn(self) -> bool:
        """Whether there is more than an empty room."""
        return self._plot is not None and not self._waiting.isActive()

    def show_history(self, history: History, lines: Sequence[tuple[str, str]]) -> None:
        """Show ``lines`` of it: (name in the history, what it is called). Draws only while the chart shows."""
        self._history, self._lines = history, lines[:MOST_LINES]
        if self.isVisible():
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._plot is None:
            self._waiting.start()
        self._draw()

    def _begin(self) -> None:
        """Make the plot, as soon as that can be done, and draw it in another turn."""
        graph = drawing()
        if graph is None or not self.isVisible() or not _turns.free:
            return
        if self._plot is None:
            self._make(graph)
        else:
            self._waiting.stop()
            self._draw()
        _turns.end()

    def _make(self, graph: Any) -> None:
        self._plot = plot = graph.PlotWidget(background=None, enableMenu=False)
        plot.setFixedHeight(HEIGHT)
        plot.setObjectName("chart")
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # the page scrolls, nothing is dragged
        plot.setAccessibleName(self._name)
        item = plot.getPlotItem()
        item.hideButtons()
        item.getViewBox().setMouseEnabled(False, False)
        item.setXRange(-SECONDS, 0, padding=0.0)
        below = item.getAxis("bottom")
        below.setTicks([[(-SECONDS, ""), (-SECONDS / 2, _ago(SECONDS / 2)), (0, "")]])
        for side in ("bottom", "left"):
            axis = item.getAxis(side)
            axis.setStyle(tickLength=0, tickTextOffset=6)
        item.getAxis("left").setWidth(38)
        item.showGrid(y=True, alpha=0.35)
        self._column.replaceWidget(self._room, plot)
        self._room.deleteLater()
        self._scale = 0.0
        self._paint()

    def _draw(self) -> None:
        history = self._history
        if history is None:
            return
        newest = [history.newest.get(key) for key, _ in self._lines]
        measured = [value for value in newest if value is not None]
        said = " · ".join(map(self._words, measured))
        self.now.show_text(said)
        self.setAccessibleName(tr("{name}: {value}", name=self._name, value=said or tr("nothing measured")))
        if self._plot is None:
            return
        graph = drawing()
        assert graph is not None
        while len(self._curves) < len(self._lines):
            self._curves.append(self._plot.plot(connect="finite"))
            self._paint()
        most = 0.0
        for place, curve in enumerate(self._curves):
            times, values = history.line(self._lines[place][0], MOST_POINTS) if place < len(self._lines) else ([], [])
            curve.setData(times, values)
            most = max([most, *(value for value in values if not math.isnan(value))])
        self._fit(self._top or nice_top(most, 1.0))

    def _fit(self, top: float) -> None:
        if top == self._scale:
            return
        self._scale = top
        item = self._plot.getPlotItem()
        item.setYRange(0, top, padding=0.06)
        ticks = [(value, number(value, 0 if top >= 2 else 1)) for value in (0.0, top / 2, top)]
        item.getAxis("left").setTicks([ticks])

    def _paint(self) -> None:
        if self._plot is None:
            return
        theme, graph = self._theme, drawing()
        assert graph is not None
        item, font = self._plot.getPlotItem(), QFont(self.font())
        font.setPointSizeF(theme.caption - 1)
        for side in ("bottom", "left"):
            axis = item.getAxis(side)
            axis.setPen(graph.mkPen(theme.strong_line if side == "left" else theme.line))
            axis.setTextPen(graph.mkPen(theme.quiet))
            axis.setTickFont(font)
        item.getAxis("left").setPen(graph.mkPen(theme.line))
        for place, (curve, colour) in enumerate(zip(self._curves, _colours(theme), strict=False)):
            curve.setPen(graph.mkPen(colour, width=1.6))
            ground = QColor(colour)
            ground.setAlpha(28)
            only = place == 0 and len(self._curves) == 1
            curve.setFillLevel(0.0 if only else None)
            curve.setBrush(graph.mkBrush(ground) if only else None)


def _colours(theme: Theme) -> tuple[str, ...]:
    return theme.accent, theme.syntax_type, theme.warning, theme.syntax_keyword


def _ago(seconds: float) -> str:
    return tr("%Ln minute(s) ago", "", round(seconds / 60))
