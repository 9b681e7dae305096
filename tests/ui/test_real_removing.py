"""The page *Models* while its models are in use: one is deleted that answers somebody, and an import is stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine_address import LOG_NAME
from app.engine_process import EngineProcess
from tests.support.network import Network, direct_network
from tests.support.tiny_model import make_tiny_model
from tests.ui.asked_by_another import ASKING, LONG, MINE, MODEL, begun, options, until_served_by
from tests.ui.conftest import Drive, open_window, until
from tests.ui.models_looked_at import Looked
from tests.ui.test_real_contributing import OPTIONS, opened, status

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with direct_network(tmp_path / "net") as made:
        yield made


def test_a_model_that_answers_somebody_is_deleted_and_another_machine_goes_on_with_it(
    drive: Drive, network: Network
) -> None:
    for name in (MINE, "other"):
        make_tiny_model(network.folder / name / "models" / MODEL)
    network.node("other", "--no-relay", "--contribute", MODEL)
    network.node(ASKING, "--no-relay")
    network.wait("other", lambda state: state.contributing.status == "on", 120)
    until_served_by(network, 1)  # only who has heard of it hears that it is off
    network.contribute("other", on=False)
    until_served_by(network, 0)

    async def scenario() -> None:
        async with open_window(network.folder / MINE, None, *options(network)) as window:
            await opened(window)
            looked = Looked(window)
            row = await looked.come("here", MODEL)
            await until(lambda: "contribute" in row.buttons)
            row.buttons["contribute"].click()
            await until(lambda: status(window) == "on", 120)
            answer = await asyncio.to_thread(begun, network)
            async with asyncio.TaskGroup() as tasks:
                rest = tasks.create_task(asyncio.to_thread(answer.read))

                await asyncio.to_thread(network.contribute, "other", True)
                await asyncio.to_thread(until_served_by, network, 2)
                assert not rest.done()
                looked.open()
                said = await looked.delete(MODEL)
                assert any("answers under way go on at other machines" in text for text in said)
                await until(lambda: looked.row("here", MODEL) is None)
                assert window.status.state.contributing.on, "with another model now"
                await until(lambda: window.status.state.contributing.model != MODEL)
                await until(lambda: status(window) == "on")
            assert answer.error is None
            assert answer.tokens == LONG
            assert answer.extension["served_by"] == network.node_id("other")
            assert answer.extension["receipt_verified"] is True
            await until(lambda: "free again" in looked.page.disk.freed.whole_text)
            await until(lambda: not (network.folder / MINE / "models" / MODEL).exists())

    drive(scenario())


def test_an_import_that_is_stopped_in_the_middle_leaves_nothing(drive: Drive, tmp_path: Path) -> None:
    source, data = make_tiny_model(tmp_path / "source"), tmp_path / "node"
    command = [sys.executable, "-m", "tests.support.slow_disk_engine", "node", "--data", str(data), *OPTIONS]

    async def scenario() -> None:
        async with open_window(data, EngineProcess(command, data / "logs" / LOG_NAME), *OPTIONS) as window:
            await until(lambda: window.status.models, 60)
            looked = Looked(window)
            await looked.come("here", "gentorrent-builtin")
            looked.page.importing.head.click()
            form = looked.page.form
            form.folder.setText(str(source))
            form.name.setText(MODEL)
            form.go.click()
            row = await looked.come("moving", MODEL)
            await until(lambda: row.how_far.whole_text.startswith("Copying: ") and row.progress.value() > 0)
            row.buttons["stop"].click()
            await until(lambda: looked.row("moving", MODEL) is None)
            incomplete = data / "models" / ".incomplete"
            await until(lambda: all(one.suffix == ".lock" for one in incomplete.iterdir()))
            assert looked.row("here", MODEL) is None
            assert not (data / "models" / MODEL).exists()
            assert len(list(source.iterdir())) > 3

    drive(scenario())
