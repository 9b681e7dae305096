"""The list of what happened: few rows, and more of them in pieces."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.theme import LIGHT, Theme
from app.views.basics import PlainLabel
from app.views.contribute.events_card import FEW, MANY, EventList

EVENTS = [(60.0 * at, f"Event {at}") for at in range(500)]


def _said(events: EventList) -> list[str]:
    labels = [label for label in events.findChildren(PlainLabel) if not label.isHidden()]
    return [label.whole_text for label in labels if label.whole_text.startswith("Event")]


def _words(events: list[tuple[float, str]]) -> list[str]:
    return [words for _, words in events]


def _filled(qtbot: QtBot) -> EventList:
    events = EventList(Theme(LIGHT))
    qtbot.addWidget(events)
    events.show_events(EVENTS)
    events.show()
    return events


def test_few_show_and_more_come_in_pieces(qtbot: QtBot) -> None:
    events = _filled(qtbot)
    assert _said(events) == _words(EVENTS[:FEW])
    events.more.click()
    assert len(_said(events)) < MANY
    qtbot.waitUntil(lambda: not events.growing)
    assert _said(events) == _words(EVENTS[:MANY])
    assert events.more.isHidden()


def test_what_happens_while_more_come_is_first_in_the_list(qtbot: QtBot) -> None:
    events = _filled(qtbot)
    events.more.click()
    newer = [(1e6, "Event new"), *EVENTS]
    events.show_events(newer)
    qtbot.waitUntil(lambda: not events.growing)
    assert _said(events) == _words(newer[:MANY])


def test_a_short_list_has_nothing_more(qtbot: QtBot) -> None:
    events = _filled(qtbot)
    events.more.click()
    events.show_events(EVENTS[:3])
    qtbot.waitUntil(lambda: not events.growing)
    assert _said(events) == _words(EVENTS[:3])
    assert events.more.isHidden()
    events.show_events(())
    assert not events.nothing.isHidden()
