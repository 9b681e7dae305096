"""Published models in the window with the real engine: a lab's model is fetched from a hub on loopback, its publisher
trusted, others answered with it, a newer version fetched; and one is asked that stands in the list as unreviewed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.models.model_words import fingerprint_words
from tests.support.hub import LoopbackHub
from tests.support.network import Network, direct_network
from tests.support.publishing import LICENCE, PUBLISHER, REPOSITORY, Commands, change_model, lab_hub
from tests.ui.conftest import Drive, Window, open_window, until
from tests.ui.models_looked_at import Looked, texts
from tests.ui.test_real_contributing import OPTIONS, status
from tests.ui.test_real_network import ask

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with lab_hub(tmp_path) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
        yield served


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with direct_network(tmp_path / "net") as made:
        yield made


def reason(window: Window) -> str:
    return str(window.status.state.contributing.reason)


def test_a_publisher_is_trusted_and_a_newer_version_fetched(
    drive: Drive, tmp_path: Path, network: Network, hub: LoopbackHub
) -> None:
    commands = Commands(network, hub)
    model, fingerprint = commands.publish()

    async def scenario() -> None:
        node = network.folder / "node"
        async with open_window(node, None, *OPTIONS, "--no-relay", "--bootstrap", network.address) as window:
            await until(lambda: window.status.models, 60)
            looked = Looked(window)
            row = await looked.come("published", model)
            assert "Unreviewed" in texts(row)
            assert f"by {PUBLISHER} ({fingerprint[:8]}…)" in row.facts.whole_text
            said = await looked.fetch("published", model, "mit")
            assert any("Nobody but its publisher has looked at this model." in text for text in said)
            assert said[-1] == LICENCE
            here = await looked.come("here", model)

            # Nobody's models are served by default, and the page says whose these are.
            await until(lambda: "contribute" in here.buttons)
            here.buttons["contribute"].click()
            await until(lambda: status(window) == "failed" and "whose models you do not serve" in reason(window))
            page = window.window.page_widget("contribute")
            await until(lambda: fingerprint in page.top.status.reason.whole_text)
            page = looked.open()
            await until(lambda: fingerprint in page.publishers.rows)
            publisher = page.publishers.rows[fingerprint]
            assert fingerprint_words(fingerprint) in publisher.about.whole_text
            QTest.keyClick(publisher.switch, Qt.Key.Key_Space)
            assert any(fingerprint_words(fingerprint) in text for text in texts(looked.dialog()))
            looked.dialog().accept()
            await until(lambda: status(window) == "on", 120)
            await until(lambda: "Answers others" in texts(looked.row("here", model)))
            await until(publisher.switch.isChecked)

            # What is newer is said, ends serving the old files, and is fetched by one click.
            change_model(hub)
            assert await asyncio.to_thread(commands.publish) == (model, fingerprint)
            looked.open()
            await until(lambda: "update" in looked.row("here", model).buttons)
            await until(lambda: "Newer version" in texts(looked.row("here", model)))
            await until(lambda: status(window) == "failed" and "version 2" in reason(window), 90)
            QTest.keyClick(looked.row("here", model).buttons["update"], Qt.Key.Key_Space)
            await until(lambda: status(window) == "on", 120)  # under the licence that is accepted already
            await until(lambda: "update" not in looked.row("here", model).buttons)

            # Nobody is trusted for good.
            publisher.switch.click()
            await until(lambda: status(window) == "failed" and "whose models you do not serve" in reason(window))

    drive(scenario())


def test_an_unreviewed_model_is_asked_after_a_word_and_never_called_verified(
    drive: Drive, tmp_path: Path, network: Network, hub: LoopbackHub
) -> None:
    commands = Commands(network, hub)
    model, fingerprint = commands.publish()
    network.node("serving", "--no-relay")
    commands.until_known("serving", model)
    commands.run("serving", "download", model, "--yes")
    commands.run("serving", "publishers", "trust", fingerprint, "--yes")
    network.stop("serving")
    network.node("serving", "--no-relay", "--contribute", model)

    async def scenario() -> None:
        node = network.folder / "node"
        async with open_window(node, None, *OPTIONS, "--no-relay", "--bootstrap", network.address) as window:
            await until(lambda: any(one.model == model for one in window.status.models), 120)
            entry = next(one for one in window.status.models if one.model == model)
            assert entry.route == "network"
            looked = Looked(window)
            row = await looked.come("published", model)
            await until(lambda: "ask" in row.buttons)
            row.buttons["ask"].click()
            await until(lambda: window.window.choice.key == (model, "network"))
            await ask(window, "Who are you?")
            assert window.turn.state == "failed"
            told = window.view.problems.text.whole_text
            assert told.startswith(f"{model} is unreviewed: {PUBLISHER} ({fingerprint}) has published it")
            anyway = next(one for one in window.view.problems.choices if "unreviewed" in one.text())
            anyway.click()
            await until(lambda: window.turn.state == "done", 120)
            await until(lambda: window.view.badge.whole_text == "Signed")
            assert "unreviewed" in window.turn.done.badge_reason
            assert window.turn.done.served_by == network.node_id("serving")

    drive(scenario())


def test_a_file_that_was_changed_behind_its_address_is_refused_in_words(
    drive: Drive, network: Network, hub: LoopbackHub
) -> None:
    model, _ = Commands(network, hub).publish()
    tokenizer = hub.repositories[REPOSITORY].folder / "tokenizer_config.json"
    tokenizer.write_bytes(tokenizer.read_bytes().replace(b"512", b"511"))

    async def scenario() -> None:
        node = network.folder / "node"
        async with open_window(node, None, *OPTIONS, "--no-relay", "--bootstrap", network.address) as window:
            await until(lambda: window.status.models, 60)
            looked = Looked(window)
            await looked.fetch("published", model, "mit")
            row = await looked.come("moving", model)
            await until(lambda: "retry" in row.buttons)
            await until(lambda: "tokenizer_config.json" in row.problem.whole_text)
            assert "is not the file that its publisher has signed" in row.problem.whole_text
            assert looked.row("here", model) is None

    drive(scenario())
