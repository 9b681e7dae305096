"""What the computation of pacing stores has the documented keys, and says what pacing is there for."""

import json
from xml.etree import ElementTree

from engine.bench import pacing


def test_gathering_saves_bytes_and_costs_less_than_its_time(monkeypatch, tmp_path):
    monkeypatch.setattr(pacing, "TOKENS", 40)
    monkeypatch.setattr(pacing, "PACES", (30, 100))
    monkeypatch.setattr(pacing, "GATHERED_MS", (0, 40))
    found = pacing.run()
    assert [(row["tokens_per_s"], row["gathered_ms"]) for row in found["rows"]] == [
        (30, 0),
        (30, 40),
        (100, 0),
        (100, 40),
    ]
    for at_once, gathered in (found["rows"][:2], found["rows"][2:]):
        assert at_once["wait_ms_longest"] <= 1.1
        assert gathered["wait_ms_first"] <= 1.1
        assert gathered["wait_ms_longest"] <= 41.1
        assert gathered["kb_per_token"] < at_once["kb_per_token"]
        assert gathered["kb_per_token_without_cells"] < gathered["kb_per_token"]
    assert found["chosen_ms"] == 40
    assert "| 30 tokens/s  | 40 " in pacing.as_text(found)
    files = pacing.store(found, tmp_path / "new")
    assert [file.name for file in files] == ["pacing.json", "pacing.md", "pacing.svg"]
    assert json.loads(files[0].read_text()) == found
    assert "![Pacing: what it costs](pacing.svg)" in files[1].read_text()
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")
