"""The window on screens with more than one device pixel for each logical one: everything is drawn at the device's
pixels, nothing is clipped, and a new window is no larger than a small screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)


def look(factor: float, folder: Path, width: int, height: int) -> dict[str, Any]:
    """What the window shows on a screen of ``width`` by ``height`` device pixels."""
    screen = {"name": "panel", "x": 0, "y": 0, "width": width, "height": height, "logicalDpi": 96, "dpr": 1}
    file = folder / "screens.json"
    file.write_text(json.dumps({"synchronousWindowSystemEvents": False, "screens": [screen]}), "utf-8")
    environment = {**os.environ, "QT_SCALE_FACTOR": str(factor), "QT_QPA_PLATFORM": f"offscreen:configfile={file}"}
    command = [sys.executable, "-m", "tests.ui.dense_window"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("factor", "width", "height"), [(1.5, 1366, 768), (2, 1920, 1080)])
def test_the_window_is_drawn_at_the_pixels_of_the_screen_and_fits_it(
    tmp_path: Path, factor: float, width: int, height: int
) -> None:
    found = look(factor, tmp_path, width, height)
    assert found["ratio"] == factor
    assert all(found["seen"].values()), found["seen"]
    assert found["wrong"] == []
    assert found["new"]["fits"], found["new"]
    assert found["new"]["composer shows"], found["new"]
