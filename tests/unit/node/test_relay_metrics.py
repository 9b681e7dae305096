"""What a relay tells /metrics: counts, coarse in time, of nobody."""

from __future__ import annotations

from engine.api.metrics import Metrics
from engine.clock import ManualClock
from engine.node.relay_metrics import COARSE_SECONDS, RelayMetrics
from engine.paths.relay import RelayMachine
from engine.wire.circuit import Dispatch
from tests.support.wires import Wires


def values(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("gentorrent_relay")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_counts_are_a_minute_old_and_name_nobody() -> None:
    clock = ManualClock()
    wires = Wires()
    running: list[RelayMachine] = []
    metrics = Metrics()
    metrics.registry.register(RelayMetrics(lambda: running[0] if running else None, clock))
    assert values(metrics) == {"gentorrent_relay_circuits": 0.0, "gentorrent_relay_held_cells": 0.0}

    running.append(wires.relays[wires.names[2]])
    client, model = wires.client(), wires.model()
    handle = wires.open(client, 0, 1, 2)
    wires.run()
    wires.send(client, handle, Dispatch(model, b"h" * 16, b"clove"))
    wires.run()
    assert values(metrics)["gentorrent_relay_circuits"] == 0.0  # whoever watches it sees no single cell pass
    clock.advance(COARSE_SECONDS)
    seen = values(metrics)
    assert seen["gentorrent_relay_circuits"] == 1.0
    assert seen['gentorrent_relay_events_total{kind="set-up: opened"}'] == 1.0
    text = metrics.text()
    for name in (*wires.names, client, model, b"h" * 16):
        assert name not in text
        assert name.hex().encode() not in text

    running.clear()
    clock.advance(COARSE_SECONDS)
    assert values(metrics) == {"gentorrent_relay_circuits": 0.0, "gentorrent_relay_held_cells": 0.0}
