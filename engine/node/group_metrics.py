"""What this machine knows of its groups, for ``/metrics``: counts alone, of no member and no prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.node.group import GroupRole


class GroupMetrics(Collector):
    """Reads the groups of the node that runs now, if one does."""

    def __init__(self, group: Callable[[], GroupRole | None]) -> None:
        self._group = group

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
        group = self._group()
        figures = group.figures() if group is not None else None
        members = figures.members if figures else 0
        yield GaugeMetricFamily("gentorrent_group_members", "Members heard lately, this machine too", value=members)
        chunks = GaugeMetricFamily("gentorrent_group_chunks", "Prefixes of public prompts in caches", labels=["whose"])
        chunks.add_metric(["mine"], figures.own_chunks if figures else 0)
        chunks.add_metric(["all"], figures.chunks if figures else 0)
        yield chunks
        dropped = CounterMetricFamily("gentorrent_group_dropped", "Messages not believed, by reason", labels=["why"])
        for why, count in sorted(figures.dropped.items() if figures else ()):
            dropped.add_metric([why], count)
        yield dropped
