"""The command's results: keys, the same for the same seed, told and stored; curves that are not there."""

import json
from xml.etree import ElementTree

import pytest

from engine.bench import anonymity_page
from engine.errors import GenTorrentError
from engine.simulation.anonymity import run as module
from engine.simulation.anonymity.run import Amount, run

KEYS = ["0.01", "0.05", "0.1", "0.2", "0.3", "0.5"]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "SIZES", (40, 120))
    monkeypatch.setattr(module, "QUICK", Amount({40: 10, 120: 3}, 1))
    return lambda seed=1: run(quick=True, seed=seed, say=lambda _: None)


def test_published_keys_and_no_worse_than_published(small):
    found = small()
    assert list(found["published"]) == list(found["ours"]) == KEYS
    assert found["published"]["0.1"]["anonymity"] == pytest.approx(0.9212, abs=5e-5)
    for f in KEYS:
        assert found["ours"][f]["anonymity"] >= found["published"][f]["anonymity"]
        assert found["ours"][f]["confidentiality"] == 1.0
    assert max(found["deviation"].values()) < 0.003


def test_a_worse_strategy_counts(monkeypatch):
    network = {
        "exposure": {"0.1": [{"anonymity": 0.5, "standard_error": 0.01}, {"anonymity": 0.9, "standard_error": 0.1}]}
    }
    assert module._ours(0.1, [network])["anonymity"] == 0.5


def test_same_seed_same_numbers(small):
    assert small() == small()
    assert small() != small(seed=2)


def test_told_and_stored(small, tmp_path):
    found = small()
    assert "named after all" in anonymity_page.as_text(found)
    files = anonymity_page.store(found, tmp_path)
    assert json.loads(files[0].read_text())["ours"] == found["ours"]
    assert "at no f worse" in files[1].read_text()
    lines = [one for one in ElementTree.fromstring(files[2].read_text()).iter() if one.tag.endswith("polyline")]
    assert len(lines) == 5 + 2 + 4 + 2


def test_missing_curves_are_explained(small, tmp_path):
    with pytest.raises(GenTorrentError, match="checkout"):
        run(quick=True, seed=1, say=lambda _: None, curves=tmp_path)
