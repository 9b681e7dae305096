"""The page Models with the real engine and a model hub on loopback: downloads that are cut off, importing, deleting."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.engine_address import read_address
from app.views.shelf.licence_dialog import LicenceDialog
from engine.library.catalogue import find
from engine.library.known import known_models
from tests.support.hub import Fault, HubRepository, LoopbackHub, loopback_hub
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.ui.conftest import Drive, Window, open_window, until
from tests.ui.models_looked_at import MODEL, Looked
from tests.ui.test_real_engine import OPTIONS

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """Has the model, in small."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    entry = find(known_models(tmp_path), MODEL)
    assert entry is not None
    with loopback_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        hub.repositories[entry.repository.value] = HubRepository(make_layout(LAYOUTS[0], tmp_path / "hub"))
        yield hub


def played(drive: Drive, tmp_path: Path, scenario: Callable[[Window, Looked], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS) as window:
            await until(lambda: window.status.models, 60)
            await scenario(window, Looked(window))

    drive(run())


def test_a_download_is_paused_in_the_middle_and_gone_on_with_to_its_end(
    drive: Drive, tmp_path: Path, hub: LoopbackHub
) -> None:
    hub.pace = 0.5

    async def scenario(window: Window, looked: Looked) -> None:
        await looked.fetch()
        row = await looked.come("moving")
        await until(lambda: row.progress.maximum() > 0 and row.progress.value() > 0)
        await until(lambda: "a second" in row.how_far.whole_text)
        QTest.keyClick(row.buttons["pause"], Qt.Key.Key_Space)
        await until(lambda: "resume" in row.buttons)
        await until(lambda: row.how_far.whole_text.startswith("Stopped: "))
        hub.pace = 0.0
        QTest.keyClick(row.buttons["resume"], Qt.Key.Key_Space)
        here = await looked.come("here")
        await until(lambda: looked.row("moving") is None)
        await until(lambda: "chat" in here.buttons)
        here.buttons["chat"].click()
        await until(lambda: window.window.choice.key == (MODEL, "local"))

    played(drive, tmp_path, scenario)


def test_a_download_that_is_cut_off_says_why_and_is_tried_again(drive: Drive, tmp_path: Path, hub: LoopbackHub) -> None:
    graph = next(one.name for one in find(known_models(tmp_path), MODEL).variants[0].files)

    async def scenario(window: Window, looked: Looked) -> None:
        again: list[Fault] = ["404"] * 50
        hub.faults[graph] = ["cut", *again]
        await looked.fetch()
        row = await looked.come("moving")
        await until(lambda: "retry" in row.buttons)
        await until(lambda: row.problem.isVisible() and len(row.problem.whole_text) > 20)
        await until(lambda: row.how_far.whole_text.startswith("Stopped: "))
        hub.faults.clear()
        row.buttons["retry"].click()
        await looked.come("here")

    played(drive, tmp_path, scenario)


def test_an_engine_that_is_killed_in_mid_download_goes_on_with_it(
    drive: Drive, tmp_path: Path, hub: LoopbackHub
) -> None:
    hub.pace = 0.5

    async def scenario(window: Window, looked: Looked) -> None:
        await looked.fetch()
        row = await looked.come("moving")
        await until(lambda: row.progress.maximum() > 0 and row.progress.value() > 0)
        address = read_address(tmp_path / "node")
        assert address is not None
        os.kill(address.pid, signal.SIGKILL)
        await until(lambda: looked.page.empty.isVisible())
        hub.pace = 0.0
        await looked.come("here")

    played(drive, tmp_path, scenario)


def test_a_folder_is_imported_and_deleted_and_one_that_is_no_model_says_so(
    drive: Drive, tmp_path: Path, hub: LoopbackHub
) -> None:
    good = make_layout(LAYOUTS[0], tmp_path / "mine")
    bad = tmp_path / "bad"
    shutil.copytree(good, bad)
    (good / "LICENSE.txt").write_text("Ask <i>nicely</i>.", encoding="utf-8")
    for one in bad.rglob("tokenizer.json"):
        one.unlink()

    async def scenario(window: Window, looked: Looked) -> None:
        await looked.come("here", "gentorrent-builtin")
        looked.page.importing.head.click()
        form = looked.page.form
        form.folder.setText(str(bad))
        form.go.click()
        await until(lambda: "tokenizer.json" in form.problem.whole_text)
        form.folder.setText(str(good))
        form.name.setText("my-own")
        form.go.click()
        await until(lambda: looked.page.findChildren(LicenceDialog))
        assert (await looked.accept_licence())[-1] == "Ask <i>nicely</i>."
        await looked.come("here", "my-own")
        assert form.problem.whole_text == ""
        assert any("become free" in text for text in await looked.delete("my-own"))
        await until(lambda: looked.row("here", "my-own") is None)
        await until(lambda: "free again" in looked.page.disk.freed.whole_text)
        assert good.exists()

    played(drive, tmp_path, scenario)
