"""The page Network: the picture of links, paths and groups follows the engine while it is looked at."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtWidgets import QApplication

from app.models.topology import lay_out
from app.theme import LIGHT, Theme
from app.views.pages.network_page import NetworkPage
from app.views.topology_view import TopologyView, crossings
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


@pytest.mark.parametrize("width", [300, 420, 900])
def test_no_name_stands_over_another_or_over_a_mark(qapp: QApplication, width: int) -> None:
    view = TopologyView(Theme(LIGHT))
    told = _picture(14)
    paths = (
        schema.OwnPath(relays=("peer0001", "far1", "far2"), use="open"),
        schema.OwnPath(relays=("peer0003", "far3")),
    )
    view.show_picture(lay_out(msgspec.structs.replace(told, paths=paths)))
    view.setFixedWidth(width)
    labels = view.labels()
    assert labels[0][1] == "This machine"
    for at, (mark, _, box) in enumerate(labels):
        assert view.rect().contains(box.toAlignedRect().adjusted(1, 1, -1, -1))
        assert not any(box.intersects(other) for _, _, other in labels[at + 1 :])
        assert not any(box.contains(view.place(other)) for other in view.shown.marks if other != mark)
    assert len(labels) > (3 if width > 400 else 0)
    view.deleteLater()


def test_lines_through_a_box_are_counted_as_qt_would(qapp: QApplication) -> None:
    source = random.Random(1)
    within = 0
    for _ in range(3_000):
        box = QRectF(source.uniform(-50, 50), source.uniform(-50, 50), source.uniform(1, 60), source.uniform(1, 60))
        begin, end = (QPointF(source.uniform(-90, 90), source.uniform(-90, 90)) for _ in range(2))
        if source.random() < 0.2:
            end.setX(begin.x())
        corners = (box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft())
        sides = [QLineF(corner, corners[(at + 1) % 4]) for at, corner in enumerate(corners)]
        bounded = QLineF.IntersectionType.BoundedIntersection
        cut = any(side.intersects(QLineF(begin, end))[0] == bounded for side in sides)
        found = crossings(box, [(begin.x(), begin.y(), end.x(), end.y())])
        assert found == (cut or box.contains(begin))
        within += found
    assert 300 < within < 2_700


def test_names_are_looked_for_again_when_the_picture_or_its_size_changes(qapp: QApplication) -> None:
    view = TopologyView(Theme(LIGHT))
    view.resize(900, 380)
    view.show_picture(lay_out(_picture(5)))
    before = view.labels()
    assert view.labels() is before
    view.show_picture(lay_out(_picture(6)))
    another = view.labels()
    assert another != before
    view.resize(420, 380)
    assert view.labels() != another
    view.deleteLater()
