"""What a machine tells /metrics of its groups: counts, of nobody and of no prompt."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

from engine.api.metrics import Metrics
from engine.node.group import GroupFigures
from engine.node.group_metrics import GroupMetrics


def values(metrics):
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("gentorrent_group")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_figures_of_the_groups_that_there_are():
    running: list[Any] = []
    metrics = Metrics()
    metrics.registry.register(GroupMetrics(lambda: running[0] if running else None))
    nothing = {
        "gentorrent_group_members": 0.0,
        'gentorrent_group_chunks{whose="mine"}': 0.0,
        'gentorrent_group_chunks{whose="all"}': 0.0,
    }
    assert values(metrics) == nothing
    running.append(SimpleNamespace(figures=lambda: GroupFigures(3, 40, 5, Counter(forged=2))))
    assert values(metrics) == {
        "gentorrent_group_members": 3.0,
        'gentorrent_group_chunks{whose="mine"}': 5.0,
        'gentorrent_group_chunks{whose="all"}': 40.0,
        'gentorrent_group_dropped_total{why="forged"}': 2.0,
    }
