"""The benchmark of paths: real machines and links are measured, and its words have what was found."""

import json
from subprocess import CalledProcessError, TimeoutExpired
from xml.etree import ElementTree

import pytest

from engine.bench import paths
from engine.bench.drivers.paths import NAMES, Machines, measure_links, measure_machines, measure_path
from engine.errors import BenchmarkError

RESULTS = {
    "machine": {"processor": "Some & one", "processors": 2},
    "versions": {"gentorrent": "1.2.3"},
    "machines": {
        "set_up_ms": dict.fromkeys(("client", *NAMES), 0.08),
        "cell_us": dict.fromkeys(("client", *NAMES), 6.1),
    },
    "path": {
        "set_up_ms": 1.09,
        "set_up_ms_spread": [1.0, 5.0],
        "set_ups_per_s": 772.5,
        "cell_round_trip_ms": 0.63,
        "us_per_cell_and_hop": 106.9,
        "relay_cells_per_s_per_core": 9351,
    },
    "links": {
        "links": 100,
        "all_s": 0.9,
        "processor_ms_per_link": 6.1,
        "kb_per_end": 268.5,
        "idle_processor_share_per_end": 0.00014,
    },
    "other_programs": 0.0,
    "quick": True,
}


def test_every_machine_of_a_path_works_for_set_up_and_cells():
    machines = Machines()
    handle = machines.open()
    machines.probe(handle)
    assert (machines.opened, machines.replies) == (1, 1)
    assert {name for name, _ in machines.seconds} == {"client", *NAMES}
    found = measure_machines(3)
    assert set(found["set_up_ms"]) == set(found["cell_us"]) == {"client", *NAMES}


async def test_a_path_over_real_links_is_measured():
    found = await measure_path(2)
    assert found["set_up_ms_spread"][0] <= found["set_up_ms"] <= found["set_up_ms_spread"][1]
    assert found["relay_cells_per_s_per_core"] == pytest.approx(1e6 / found["us_per_cell_and_hop"], rel=0.01)


async def test_links_of_one_node_are_measured(monkeypatch):
    monkeypatch.setattr("engine.bench.drivers.paths.IDLE_SECONDS", 0.1)
    found = await measure_links(3)
    assert found["links"] == 3
    assert found["all_s"] > 0


def test_words_page_and_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "_measure", lambda name, count: RESULTS[name])
    monkeypatch.setattr(paths, "describe_machine", lambda: RESULTS["machine"])
    found = paths.run(quick=True, say=lambda _: None)
    assert {name: found[name] for name in ("machines", "path", "links")} == {
        name: RESULTS[name] for name in ("machines", "path", "links")
    }
    words = paths.as_text(RESULTS)
    assert "9,351 cells a second with one core" in words
    assert "0.0140% of a" in words
    files = paths.store(RESULTS, tmp_path)
    assert [file.name for file in files] == ["paths.json", "paths.md", "paths.svg"]
    assert json.loads(files[0].read_text()) == RESULTS
    assert "bench paths --quick" in files[1].read_text()
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")


@pytest.mark.parametrize("error", [TimeoutExpired("x", 1), CalledProcessError(1, "x", stderr="no room")])
def test_a_measurement_that_fails_says_which(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("subprocess.run", fail)
    with pytest.raises(BenchmarkError, match="'links'"):
        paths._measure("links", 3)
