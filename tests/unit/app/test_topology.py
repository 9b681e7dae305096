"""The picture of links, paths and groups: who gets a mark, where it stands, and what is said of it."""

from __future__ import annotations

import itertools
import math
import random

from app.models.topology import MOST_MARKS, MOST_ROUTES, TopologyModel, lay_out, load_of, rows
from engine.api import schema


def _link(peer: str, **more) -> schema.OwnLink:
    return schema.OwnLink(peer=peer, holder="client", **more)


def _told(links: int, paths: int = 0, members: int = 0) -> schema.Topology:
    return schema.Topology(
        links=tuple(_link(f"link{at:04}", round_trip_ms=at) for at in range(links)),
        paths=tuple(
            schema.OwnPath(relays=(f"link{at:04}", f"mid{at:04}", f"far{at:04}"), use="open" if at < 4 else "spare")
            for at in range(paths)
        ),
        members=tuple(schema.GroupMember(node=f"member{at:04}", model="m") for at in range(members)),
    )


def test_each_machine_has_one_mark_and_this_one_is_in_the_middle():
    picture = lay_out(_told(links=3, paths=2, members=2))
    keys = [mark.key for mark in picture.marks]
    assert len(keys) == len(set(keys)) == 1 + 3 + 4 + 2
    here = next(mark for mark in picture.marks if mark.kind == "here")
    assert (here.x, here.y) == (0.0, 0.0)
    assert {mark.kind for mark in picture.marks if mark.key.startswith("link")} == {"relay", "link"}


def test_a_thousand_links_stay_readable_and_the_open_chats_relays_keep_their_marks():
    told = _told(links=1000, paths=20, members=300)
    picture = lay_out(told)
    marks = {mark.key: mark for mark in picture.marks}
    assert len(marks) <= MOST_MARKS + 2
    for path in told.paths[:4]:
        assert set(path.relays) <= set(marks)
    machines = {one.peer for one in told.links} | {relay for path in told.paths for relay in path.relays}
    machines |= {one.node for one in told.members}
    others = marks["others"]
    assert others.count == len(machines) - MOST_MARKS
    assert all(math.hypot(one.x - others.x, one.y - others.y) > 0.3 for one in marks.values() if one is not others)
    assert (len(picture.routes), picture.routes_left_out) == (MOST_ROUTES, 8)


def test_marks_never_lie_on_each_other_and_lines_have_ends():
    source = random.Random(7)
    for _ in range(200):
        told = _told(source.randrange(60), source.randrange(12), source.randrange(30))
        picture = lay_out(told)
        places = [(mark.x, mark.y) for mark in picture.marks]
        for (x, y), (u, v) in itertools.combinations(places, 2):
            assert (x - u) ** 2 + (y - v) ** 2 > 0.03**2
        assert all(-1 <= value <= 1 for place in places for value in place)
        keys = {mark.key for mark in picture.marks}
        assert all(set(line.marks) <= keys and line.marks[0] == "here" for line in picture.routes)


def test_the_order_in_which_things_are_told_changes_nothing():
    told = _told(links=80, paths=6, members=12)
    turned = schema.Topology(links=told.links[::-1], paths=told.paths, members=told.members[::-1])
    assert {(mark.key, mark.x, mark.y) for mark in lay_out(told).marks} == {
        (mark.key, mark.x, mark.y) for mark in lay_out(turned).marks
    }


def test_the_load_of_a_member_is_a_share():
    assert load_of(schema.GroupMember(node="a", model="m", running=3, waiting=9, slots=4)) == 1.0
    assert load_of(schema.GroupMember(node="a", model="m", running=1, slots=4)) == 0.25


def test_the_list_says_what_the_picture_shows():
    told = schema.Topology(
        links=(_link("abcdefghij", relayed=True, round_trip_ms=31.4),),
        paths=(schema.OwnPath(relays=("abcdefghij", "k", "l"), use="open", busy=True),),
        members=(schema.GroupMember(node="x", model="m", here=True, established=False, accepts=False),),
    )
    told_rows = rows(told)
    assert told_rows[0] == ("Path of the open chat", "abcdefgh → k → l, an answer comes over it now")
    assert "no standing yet, takes no questions now" in told_rows[1][1]
    assert told_rows[2] == ("Link with abcdefgh", "through a TURN server, for your questions, 31 ms")


def test_watching_ends_with_looking_and_begins_again_with_a_new_connection():
    sent: list[schema.Request] = []

    def send(request: schema.Request) -> bool:
        sent.append(request)
        return True

    model = TopologyModel(send)
    model.watch(False)
    model.watch(True)
    model.look_at("chat-1")
    model.receive(schema.Welcome(version=1, engine_version="x"))
    model.watch(False)
    model.receive(schema.Welcome(version=1, engine_version="x"))
    model.look_at("chat-2")
    assert [(one.on, one.chat) for one in sent] == [
        (True, ""),
        (True, "chat-1"),
        (True, "chat-1"),
        (False, "chat-1"),
    ]
