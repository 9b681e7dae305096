"""Measure what live charts take of the window's event loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.appearance import wear
from app.models.contribution import HEAT, LOAD, POWER, TOKENS
from app.models.history import SECONDS, History
from app.theme import LIGHT
from app.views.contribute.charts_card import ChartsCard

SIZE = (820, 420)
DEVICES = tuple((f"gpu{number}", f"Card {number}") for number in range(4))
PER_SECOND = 20
"""Samples a second; engines send one a second."""
LOADING_SECONDS = 60.0


def sample(history: History, at: float) -> None:
    """What four busy graphics cards would say at that second."""
    values: dict[str, float | None] = {TOKENS: 60 + 20 * math.sin(at / 7)}
    for place, (device, _) in enumerate(DEVICES):
        values[f"{LOAD}/{device}"] = 70 + 25 * math.sin(at / 11 + place)
        values[f"{POWER}/{device}"] = 220 + 60 * math.sin(at / 13 + place)
        values[f"{HEAT}/{device}"] = 66 + 8 * math.sin(at / 60 + place)
    history.add(at, values)


def live_charts(
    application: QApplication, measure: Callable[[float], dict[str, object]], seconds: float
) -> dict[str, object]:
    """Four charts with ten minutes of four cards, all drawn anew at each sample. ``measure`` lets the loop run for so
    many seconds and says how late it was."""
    history = History()
    for at in range(SECONDS):
        sample(history, float(at))
    card = ChartsCard(LIGHT)
    wear(card, LIGHT)
    card.resize(*SIZE)
    card.show_history(history, DEVICES)
    card.show()
    waited = time.monotonic() + LOADING_SECONDS
    making = 0.0
    while not all(chart.drawn for chart in card.charts.values()):
        before = time.thread_time()
        application.processEvents()
        making = max(making, time.thread_time() - before)
        if time.monotonic() > waited:
            raise RuntimeError("the charts are not drawn")
    newest = float(SECONDS)

    def arrive() -> None:
        nonlocal newest
        newest += 1.0
        sample(history, newest)
        card.show_history(history, DEVICES)

    feed = QTimer()
    feed.setTimerType(Qt.TimerType.PreciseTimer)
    feed.setInterval(1000 // PER_SECOND)
    feed.timeout.connect(arrive)
    feed.start()
    found = measure(seconds)
    feed.stop()
    card.close()
    card.deleteLater()
    return {
        **found,
        "making_processor_most_ms": round(making * 1000, 2),
        "lines": 1 + 3 * len(DEVICES),
        "points": len(history),
        "samples_a_second": PER_SECOND,
    }
