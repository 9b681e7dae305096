"""What the benchmark of S-IDA stores has the published keys and is told in words and a picture."""

import json
from xml.etree import ElementTree

from engine.bench import sida


def results(monkeypatch):
    monkeypatch.setattr(sida, "_measure", lambda works, rounds: {work: [0.02, 0.01, 0.03] for work in works})
    monkeypatch.setattr(sida, "describe_machine", lambda: {"processor": "Some & one"})
    return sida.run(quick=True)


def test_published_keys(monkeypatch):
    found = results(monkeypatch)
    assert found["ms"] == {str(size): {"split": 0.02, "join": 0.02} for size in (1024, 4096, 16384)}
    assert found["published_ms"]["1024"] == {"split": 0.142, "join": 0.08}


def test_the_slowest_set_of_cloves_counts(monkeypatch):
    def measure(works, rounds):
        return {work: [0.5 if work == (1024, "join", "1,2,3") else 0.1] for work in works}

    monkeypatch.setattr(sida, "_measure", measure)
    monkeypatch.setattr(sida, "describe_machine", dict)  # it measures how fast memory is
    found = sida.run(quick=True)
    assert found["ms"]["1024"] == {"split": 0.1, "join": 0.5}
    assert found["ms"]["4096"]["join"] == 0.1


def test_every_work_does_what_its_name_says():
    works = sida._works()
    assert len(works[1024, "split", ""]()) == 4
    assert {len(works[size, "join", "1,2,3"]()) for size in sida.SIZES} == set(sida.SIZES)
    assert {len(works[16384, "open", suite]()) for suite in sida.SUITES.values()} == {16384}
    samples = sida._measure({(1, "split", ""): lambda: None}, rounds=3)
    assert len(samples[1, "split", ""]) == 3


def test_table_page_and_picture(monkeypatch, tmp_path):
    found = results(monkeypatch)
    assert "| 16384 |" in sida.as_text(found)
    files = sida.store(found, tmp_path / "new")
    assert [file.name for file in files] == ["sida.json", "sida.md", "sida.svg"]
    assert json.loads(files[0].read_text()) == found
    page = files[1].read_text()
    assert "![S-IDA: splitting and joining messages](sida.svg)" in page
    assert "bench sida --quick" in page
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")
