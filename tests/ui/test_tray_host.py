"""The window on a real X server with a real tray: the icon is there, and its menu works as a desktop uses it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.main import _missing_libraries
from app.preferences import PreferenceStore
from tests.ui.conftest import PlayedEngine, played_engine, until
from tools.system_libraries import missing_desktop

MISSING = missing_desktop()
if MISSING and os.environ.get("GENTORRENT_REQUIRE_ALL") == "1":
    raise pytest.UsageError(f"for the tests of the tray: apt-get install {' '.join(MISSING)}")
pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(bool(MISSING), reason=f"the tray is tested with {', '.join(MISSING)}"),
]


@dataclass
class Menu:
    """The menu of an icon, as the desktop sees it."""

    name: str
    environment: dict[str, str]

    def send(self, path: str, method: str, *arguments: str) -> str:
        done = subprocess.run(
            ["dbus-send", "--session", "--print-reply", f"--dest={self.name}", path, method, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout

    def entries(self) -> dict[str, tuple[int, str]]:
        """(id, state of its check mark) of each visible entry, by its text."""
        layout = self.send("/MenuBar", "com.canonical.dbusmenu.GetLayout", "int32:0", "int32:-1", "array:string:")
        found = {}
        for entry in re.split(r"struct \{", layout)[2:]:
            label = re.search(r'"label"\s+variant\s+string "([^"]*)"', entry)
            number = re.search(r"int32 (\d+)", entry)
            checked = re.search(r'"toggle-state"\s+variant\s+int32 (\d)', entry)
            if label and number and re.search(r'"visible"\s+variant\s+boolean true', entry):
                found[label[1]] = (int(number[1]), checked[1] if checked else "")
        return found

    def click(self, text: str) -> None:
        number, _ = self.entries()[text]
        arguments = (f"int32:{number}", "string:clicked", "variant:int32:0", "uint32:0")
        self.send("/MenuBar", "com.canonical.dbusmenu.Event", *arguments)

    def properties(self) -> str:
        return self.send(
            "/StatusNotifierItem",
            "org.freedesktop.DBus.Properties.GetAll",
            "string:org.kde.StatusNotifierItem",
        )


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], **options) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        assert process.stdout is not None
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def desktop() -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    """An X server, a session bus and a tray: the environment for programs, and the tray."""
    environment = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "DISPLAY")}
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS"):
        environment.pop(name, None)
    environment |= {"GENTORRENT_KEYRING": "off", "LC_ALL": "C.UTF-8"}
    server = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with (
        running(server, environment, stderr=subprocess.DEVNULL) as screen,
        running(
            ["dbus-daemon", "--session", "--nofork", "--print-address"], environment, stderr=subprocess.DEVNULL
        ) as bus,
    ):
        environment["DISPLAY"] = f":{line(screen)}"
        environment["DBUS_SESSION_BUS_ADDRESS"] = line(bus)
        with running([sys.executable, "-m", "tests.support.tray_host"], environment) as tray:
            assert line(tray) == "ready"
            yield environment, tray


@pytest.mark.timeout(120)
async def test_icon_is_in_the_tray_and_its_menu_contributes(desktop, tmp_path: Path) -> None:
    environment, tray = desktop
    PreferenceStore(tmp_path).change(welcomed=True, language="en")
    engine = PlayedEngine(network="ready", tokens_today=1234)
    command = [sys.executable, "-m", "app", "--data", str(tmp_path)]
    async with played_engine(tmp_path, engine):
        with running(command, environment, stderr=subprocess.DEVNULL) as window:
            name = await asyncio.wait_for(asyncio.to_thread(line, tray), 120)
            menu = Menu(name, environment)
            assert "IconPixmap" in await asyncio.to_thread(menu.properties)
            await shown(menu, lambda entries: "Contributing: Off" in entries)  # the engine has spoken
            await shown(menu, lambda entries: entries.get("Contribute", ())[1:] == ("0",))
            await asyncio.to_thread(menu.click, "Contribute")
            await until(lambda: engine.contributing)
            await shown(menu, lambda entries: "Contributing: On" in entries)
            await shown(menu, lambda entries: entries.get("Contribute", ())[1:] == ("1",))
            await shown(menu, lambda entries: "Pause for an hour" in entries)
            await asyncio.to_thread(menu.click, "Pause for an hour")
            await until(lambda: engine.paused)
            await shown(menu, lambda entries: "Contributing: Paused: You have paused it." in entries)
            await shown(menu, lambda entries: "1,234 tokens for others today" in entries)
            await shown(menu, lambda entries: "Go on now" in entries)
            await asyncio.to_thread(menu.click, "Go on now")
            await until(lambda: not engine.paused)
            await shown(menu, lambda entries: "Pause until the next start" in entries)
            await asyncio.to_thread(menu.click, "Pause until the next start")
            await until(lambda: engine.paused)
            await shown(menu, lambda entries: any("until the next start." in entry for entry in entries))
            await asyncio.to_thread(menu.click, "Contribute")  # off
            await until(lambda: not engine.contributing)
            await shown(menu, lambda entries: "Contributing: Off" in entries and "Go on now" not in entries)
            engine.refuse_contributing = True
            await asyncio.to_thread(menu.click, "Contribute")
            refused = "Contributing: Not possible: There is no network to contribute to."
            await shown(menu, lambda entries: any(entry.startswith(refused) for entry in entries))
            await asyncio.to_thread(menu.click, "Quit")
            assert await asyncio.to_thread(window.wait, 120) == 0
        assert not engine.stopped  # it was there before the window


async def shown(menu: Menu, condition) -> dict[str, tuple[int, str]]:
    """The entries of the menu as soon as ``condition`` holds."""
    async with asyncio.timeout(120):
        while not condition(entries := await asyncio.to_thread(menu.entries)):
            await asyncio.sleep(0.1)
    return entries


def test_what_is_missing_is_found_by_the_same_names() -> None:
    assert bool(shutil.which("Xvfb")) or "xvfb" in missing_desktop()
    assert not (set(_missing_libraries()) and not missing_desktop())
