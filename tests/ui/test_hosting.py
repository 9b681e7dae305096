"""Hosting a network and inviting others from the page Network and from the first page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from app.views.pages.network_page import NetworkPage
from engine.api import schema
from tests.support.network import Network, free_port
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until

HOSTILE = "<b>bold</b>\u202egnp"
OPTIONS = ("--api-port", "0", "--threads", "1", "--log-level", "warning")


def page_of(window: Window) -> NetworkPage:
    window.window.open_page("network")
    page = window.window.page_widget("network")
    assert isinstance(page, NetworkPage)
    return page


def test_a_network_is_hosted_and_others_are_invited(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.hosting.now)
            kept: list[str] = []
            window.status.network_kept.connect(kept.append)
            card = page_of(window).host
            assert not card.form.host.isEnabled(), "it needs a name"
            assert "192.168.1.20" in card.form.reach.currentText()
            card.form.name.setText("Attic")
            card.form.host.click()
            await until(lambda: card.running.isVisible())
            assert kept == ["http://127.0.0.1:8900#1f"]
            assert not card.form.isVisible()
            assert card.status.text.whole_text == "“Attic” is hosted here"
            assert card.facts.isVisible()
            wish = next(one for one in engine.hosting.requests if isinstance(one, schema.HostNetwork))
            assert (wish.name, wish.private, wish.reach, wish.port) == ("Attic", True, "local", 8900)
            card.inviting.label.setText(HOSTILE)
            card.inviting.ids.setText("one, two")
            card.inviting.make.click()
            await until(lambda: card.box.isVisible())
            asked = engine.hosting.requests[-1]
            assert isinstance(asked, schema.MakeInvitation)
            assert (asked.seconds, asked.member_seconds, asked.bound) == (3 * 86_400.0, 0.0, ("one", "two"))
            assert card.box.text.toPlainText() == card.box.code.text == "gentorrent-invite-played"
            assert not card.box.code.grab().isNull()
            card.box.copy.click()
            assert QGuiApplication.clipboard().text() == "gentorrent-invite-played"
            assert card.inviting.label.text() == "", "the next one is for somebody else"
            await until(lambda: card.list.buttons)
            next(iter(card.list.buttons.values())).click()
            await until(lambda: not card.list.buttons)
            card.switch.click()
            await until(lambda: engine.hosting.now.status == "off" and not card.box.isVisible())
            await until(card.switch.isEnabled)
            assert not card.switch.isChecked()
            card.switch.click()
            await until(lambda: engine.hosting.now.status == "running")
            await until(lambda: card.inviting.isVisible())
            again = engine.hosting.requests[-1]
            assert isinstance(again, schema.HostNetwork)
            assert (again.name, again.join) == ("", False)

    drive(scenario())


def test_a_refusal_stands_beside_the_form_and_is_forgotten(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        engine.hosting.refusal = "Another program uses the port 8900."
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.hosting.now)
            card = page_of(window).host
            card.form.name.setText("Attic")
            card.form.host.click()
            await until(lambda: card.form.problem.isVisible())
            assert card.form.problem.whole_text == "Another program uses the port 8900."
            assert card.form.host.isEnabled()
            card.form.port.setText("0")
            assert not card.form.host.isEnabled(), "this is no port"
            card.form.port.setText("8901")
            engine.hosting.refusal = ""
            card.form.host.click()
            await until(lambda: card.running.isVisible())
            assert not card.problem.isVisible()
            engine.hosting.refusal = "This is not the id of an engine."
            card.inviting.make.click()
            await until(lambda: card.problem.isVisible())
            engine.hosting.refusal = ""
            engine.hosting.change(status="failed", reason="The server of the network ended: x")
            await until(lambda: card.status.reason.whole_text == "The server of the network ended: x")
            engine.hosting.change(status="elsewhere", reason="")
            await until(lambda: not card.switch.isEnabled())

    drive(scenario())


def test_an_open_network_shows_its_address(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        address = "http://192.168.1.20:8900#1f"
        engine.hosting.change(
            status="running", name="Lab", private=False, url="http://192.168.1.20:8900", address=address
        )
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.hosting.now)
            card = page_of(window).host
            assert card.address.text.toPlainText() == address
            assert card.address.isVisible()
            assert not card.inviting.isVisible()
            await until(lambda: window.status.state)
            assert window.status.serves_others, "a window that quits leaves this engine running"

    drive(scenario())


def test_the_first_page_offers_to_host_and_tells_the_ids(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess(), first=True) as window:
            page = window.window.first_run
            await until(lambda: page.offer_host.isVisible())
            await until(page.join.ids.isVisible)
            page.join.copy.click()
            assert QGuiApplication.clipboard().text() == "nodeid clientid"
            page.offer_host.click()
            page.host.name.setText("Attic")
            page.host.host.click()
            await until(lambda: engine.hosting.now.status == "running")

    drive(scenario())


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("engines_end_with_the_tests")
def test_host_invite_join_and_both_see_each_other(drive: Drive, tmp_path: Path) -> None:
    """The window with the real engine, and a second engine that joins with the text that the window shows."""

    async def scenario(network: Network) -> None:
        async with open_window(tmp_path / "host", None, *OPTIONS) as window:
            await until(lambda: window.status.hosting.now, 90)
            card = page_of(window).host
            card.form.name.setText("Attic")
            card.form.reach.show_value("machine")
            card.form.port.setText(str(free_port()))
            card.form.host.click()
            await until(lambda: window.status.state and window.status.state.network.bootstrap_connected, 120)
            await until(lambda: card.inviting.isVisible(), 60)
            card.inviting.make.click()
            await until(lambda: card.box.isVisible(), 60)
            network.join("guest", card.box.code.text)
            await until(
                lambda: any(one.status == "in_use" and not one.own for one in window.status.hosting.now.invitations), 90
            )
            other = await asyncio.to_thread(network.node_id, "guest")
            await until(lambda: other in {link.peer for link in window.desktop.topology.told.links}, 90)
            state = await asyncio.to_thread(network.wait, "guest", lambda state: state.network.links > 0, 60)
            assert state.network.name == "Attic"
            await until(lambda: card.list.buttons)
            next(iter(card.list.buttons.values())).click()
            await asyncio.to_thread(network.wait, "guest", lambda state: "revoked" in state.network.reason, 60)
            await asyncio.to_thread(network.stop, "guest")
            card.switch.click()
            await until(lambda: window.status.hosting.now.status == "off", 60)

    with Network(tmp_path / "guests") as network:
        drive(scenario(network))
