"""What this relay has done, for ``/metrics``: counts alone, of no peer and no circuit, and not newer than a minute.

Figures that follow every cell at once would show whoever reads them when somebody's cells passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.clock import Clock
from engine.paths.relay import RelayMachine

COARSE_SECONDS: Final = 60.0
"""Between two looks."""


class RelayMetrics(Collector):
    """Reads the counters of the relay that runs now, if one does, once a minute."""

    def __init__(self, relay: Callable[[], RelayMachine | None], clock: Clock) -> None:
        self._relay = relay
        self._clock = clock
        self._looked: float | None = None
        self._events: Mapping[str, int] = {}
        self._circuits = self._cells = 0

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
        now = self._clock.monotonic()
        if self._looked is None or now >= self._looked + COARSE_SECONDS:
            self._looked = now
            relay = self._relay()
            self._events = dict(relay.counters) if relay else {}
            self._circuits, self._cells = (relay.circuits, relay.held_cells) if relay else (0, 0)
        events = CounterMetricFamily("gentorrent_relay_events", "What this relay did, by kind", labels=["kind"])
        for kind, count in sorted(self._events.items()):
            events.add_metric([kind], count)
        yield events
        yield GaugeMetricFamily("gentorrent_relay_circuits", "Circuits through this relay", value=self._circuits)
        yield GaugeMetricFamily("gentorrent_relay_held_cells", "Cells in this relay's memory", value=self._cells)
