"""The benchmark of the directory: server and clients are measured in small, and its words have what was found."""

import json
from subprocess import CalledProcessError, TimeoutExpired
from xml.etree import ElementTree

import pytest

from engine.bench import directory
from engine.bench.crowd import Crowd
from engine.bench.drivers.directory import measure_join, measure_restart, measure_server
from engine.directory.descriptor import check_descriptor
from engine.errors import BenchmarkError
from tests.support.records import NOW, genesis


@pytest.fixture
async def measured(tmp_path):
    server = await measure_server(tmp_path, 200, 7)
    join = await measure_join(tmp_path)
    return {"server": server, **join, "restart": await measure_restart(tmp_path)}


def test_a_crowd_renews_leaves_and_is_replaced():
    record = genesis()
    crowd = Crowd(50, record)
    names = list(crowd.names)
    for place in range(50):
        found = check_descriptor(crowd.descriptor(place, NOW), record.network_id, NOW)
        assert found.relay
        assert bool(found.models) == (place % 10 == 0)
    crowd.replace(3)
    assert [place for place in range(50) if crowd.names[place] != names[place]] == [3]
    assert crowd.leavers(0) == []
    assert crowd.leavers(1e9) == list(range(50))


async def test_a_small_network_from_server_to_client(measured, tmp_path, monkeypatch):
    server, join, restart, update = (measured[name] for name in ("server", "join", "restart", "update"))
    assert server["nodes"] <= 200
    assert restart["nodes"] == server["nodes"]
    assert server["delta_bytes"] < server["whole_compressed_bytes"] < server["whole_bytes"]
    assert server["published_per_period"] > 0
    assert join["nodes"] > 150
    assert update["processor_s"] >= 0
    monkeypatch.setattr(directory, "_measure", lambda name, *_: measured if name == "join" else measured[name])
    monkeypatch.setattr(directory, "describe_machine", lambda: {"processor": "Some & one", "processors": 2})
    results = directory.run(nodes=200, quick=True, say=lambda _: None)
    assert results["nodes"] == server["nodes"]
    files = directory.store(results, tmp_path / "new")
    assert [file.name for file in files] == ["directory.json", "directory.md", "directory.svg"]
    assert json.loads(files[0].read_text())["computed"] == results["computed"]
    page = files[1].read_text()
    assert "bench directory --quick" in page
    assert "What 100,000 nodes would need" in page
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")


async def test_a_larger_network_is_computed_in_proportion(measured):
    one = directory.scaled(measured, 200_000)
    other = directory.scaled(measured, 400_000)
    assert other["whole_mb"] == pytest.approx(2 * one["whole_mb"], rel=0.01)
    # Everybody gets what everybody says.
    assert other["server_sends_mb_per_s"] == pytest.approx(4 * one["server_sends_mb_per_s"], rel=0.01)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (CalledProcessError(1, "x", stderr="It broke."), "It broke."),
        (TimeoutExpired("x", 1), "took too long"),
    ],
)
def test_a_measurement_that_fails_is_told(monkeypatch, tmp_path, failure, said):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr("subprocess.run", fail)
    with pytest.raises(BenchmarkError, match=said):
        directory._measure("server", tmp_path)
