"""The network that ``gentorrent bench overlay`` measures: real processes, links, paths and a model, asked both ways."""

from engine.bench.overlay import _Bench
from engine.bench.overlay_network import running_network


def test_one_round_through_the_overlay_and_directly():
    said: list[str] = []
    with running_network() as network:
        bench = _Bench(network, said.append)
        found = bench.rounds(100.0, 1, 12)
        set_ups = network.client.ask("set_ups")["ms"]
    assert len(found.overlay.speed) == len(found.direct.speed) == 1
    assert 0 < found.direct.speed[0] < 110  # the limit holds on both sides
    assert found.overlay.speed[0] > 0
    assert all(stage > 0 for stage in found.stages[0])
    assert found.wire_per_byte[0] > 4 / 3  # four cloves, of which three suffice, are more than the answer itself
    assert len(set_ups) >= 4
    assert "paced, 100/s, 12 tokens" in said[0]
