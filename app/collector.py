"""Python's cyclic collector, in the window's thread only.

By itself it runs in whichever thread happens to allocate. Widgets that a cycle keeps would then end in a worker thread,
where Qt may not touch them, or in the middle of an event of theirs: the process ends with a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1_000
"""How often is looked whether there is enough to collect."""


class Collector(QObject):
    """Collects by a timer of the thread that makes it, as seldom as Python's own thresholds say, until it is closed.
    What is there already, most of it modules, is left out for good, which keeps each run short."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_due)
        self._timer.start()

    def close(self) -> None:
        """Give it back to Python."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


def collect_due() -> None:
    """Collect the oldest generation that is due, which takes the younger ones along."""
    due = [
        at for at, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > limit
    ]
    if due and 0 in due:  # nothing new has come: the older ones have nothing to find either
        gc.collect(due[-1])
