"""What the measurement of the governor stores has the documented keys, and the governor is a modest program."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine.bench import governor


def test_the_governor_takes_little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(governor, "QUICK_SECONDS", 2.0)
    monkeypatch.setattr(governor, "WARM_UP", 1.0)
    monkeypatch.setattr(governor, "READS", 3)
    found = governor.run(quick=True)
    assert [(row["round"], row["machine"]) for row in found["rows"]] == [
        (1, "as it is"),
        (1, "busy"),
        (2, "as it is"),
        (2, "busy"),
    ]
    assert all(row["share"] < 0.2 for row in found["rows"])  # the promise is held by the command, in more time
    assert {"battery", "disk", "processor", "programs", "devices"} <= {one["name"] for one in found["sensors"]}
    files = governor.store(found, tmp_path / "new")
    assert [file.name for file in files] == ["governor.json", "governor.md", "governor.svg"]
    assert json.loads(files[0].read_text()) == found
    assert "of one processor at most" in files[1].read_text()
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")
