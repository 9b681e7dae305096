"""Everything that a desktop, a battery and graphics cards tell is measured where the governor's own use is."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.sensing.own_use import Place, as_lines, keep, measured
from tests.support.played_desktops import KINDS
from tools.system_libraries import missing_desktop

pytestmark = pytest.mark.skipif(
    bool(missing_desktop()), reason="system packages are missing: python -m tools.system_libraries"
)
NOT_PLAYED = {"temperature"}


@pytest.mark.timeout(300)
def test_all_that_is_played_is_sensed(tmp_path: Path) -> None:
    places = (Place("X11", 2), *(Place(kind) for kind in KINDS[1:]))
    results = measured(places, 1.0)
    silent = [
        {one["name"] for one in place["sensors"] if one["unmeasured"]} - NOT_PLAYED for place in results["places"]
    ]
    assert silent == [set(), {"devices", "full_screen"}, {"devices", "full_screen"}]
    assert all(0 < row["share"] < 0.2 for place in results["places"] for row in place["rows"])  # held by the command
    assert any("of one processor at most" in line for line in as_lines(results))
    files = keep(results, tmp_path)
    assert [file.name for file in files] == [f"governor-desktops.{kind}" for kind in ("json", "md", "svg")]
    assert json.loads(files[0].read_text()) == results
    assert "python -m tests.sensing.own_use" in files[1].read_text()
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")
