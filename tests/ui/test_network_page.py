"""The page Network: the picture of links, paths and groups follows the engine while it is looked at."""

from __future__ import annotations

from pathlib import Path

from app.views.pages.network_page import NetworkPage
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until

HOSTILE = "<img src=http://example.org/a.png><b>bold</b>\u202egnp"


def _picture(links: int) -> schema.Topology:
    return schema.Topology(
        links=tuple(
            schema.OwnLink(peer=f"peer{at:04}", holder="client", round_trip_ms=1.0 + at) for at in range(links)
        ),
        members=(schema.GroupMember(node="membermember", model=HOSTILE, running=1, slots=4),),
    )


def test_the_picture_and_its_list_follow_the_engine(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        engine.picture = _picture(2)
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.open_page("network")
            page = window.window.page_widget("network")
            assert isinstance(page, NetworkPage)
            await until(lambda: page.list.count() == 3)
            assert page.list.item(0).text().startswith("Group member memberme: <img src=")
            assert "\u202e" not in page.list.item(0).text()
            engine.picture = _picture(1000)
            await until(lambda: page.list.count() == 400)
            assert page.list.accessibleName()
            assert page.picture.accessibleName()
            here = next(mark for mark in page.picture.shown.marks if mark.kind == "here")
            assert page.picture.mark_at(page.picture.place(here)) == here
            assert not page.picture.grab().isNull()
            window.window.open_page("chat")
            await until(lambda: not window.desktop.topology.watched)

    drive(scenario())
