"""Screens that are pulled out: on a real X server (Xvfb), whose RANDR extension adds and removes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.test_tray_host import MISSING, line, running

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(MISSING), reason=f"screens are pulled out with {', '.join(MISSING)}"),
]

WINDOW = """
import asyncio, os, sys
from pathlib import Path
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop
from tests.support.x_screens import Screens
from tests.ui.conftest import NoProcess, open_window, until

async def scenario():
    screens = Screens(os.environ["DISPLAY"])
    names = lambda: [screen.name() for screen in QApplication.screens()]
    async with open_window(Path(sys.argv[1]), NoProcess()) as window:
        screens.add("right", 1280, 0, 1280, 900)
        await until(lambda: "right" in names())
        window.window.setGeometry(QRect(1400, 100, 700, 500))
        await until(lambda: window.window.geometry().x() == 1400)
        right = next(screen for screen in QApplication.screens() if screen.name() == "right")
        assert right.geometry().contains(window.window.geometry())
        screens.remove("right")
        await until(lambda: "right" not in names())
        (left,) = QApplication.screens()
        await until(lambda: left.geometry().contains(window.window.geometry()))
        print("visible", window.window.geometry().getRect())
    screens.close()

QEventLoop(QApplication(sys.argv)).run_until_complete(scenario())
"""


def test_window_of_a_screen_that_is_pulled_out_comes_to_the_other_one(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    server = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with running(server, environment, stderr=subprocess.DEVNULL) as screen:
        environment |= {"DISPLAY": f":{line(screen)}", "QT_QPA_PLATFORM": "xcb", "GENTORRENT_KEYRING": "off"}
        command = [sys.executable, "-c", WINDOW, str(tmp_path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("visible")
