"""What an engine tells of its own place: paths by their use, members with their load, no more than it may."""

from __future__ import annotations

from types import SimpleNamespace

from engine.api.schema import MOST_LINKS, Topology
from engine.directory.shapes import Shape
from engine.forwarding.members import Load, Member
from engine.ids import NodeId, node_id_text
from engine.node.conversations import Conversations
from engine.node.topology import group_members, own_paths, topology
from engine.paths.slots import PathSet, Slot


def _id(number: int) -> NodeId:
    return NodeId(number.to_bytes(20, "big"))


def _set(name: bytes, first: int, busy: int = 0) -> PathSet:
    slots = [Slot(index=0, open=True, hops=(_id(first), _id(first + 1)), round_trip=0.25), Slot(index=1)]
    return PathSet(name=name, shape=Shape(2, 1, 2), slots=slots, last_used=0.0, busy=busy)


def test_paths_say_what_they_are_for_and_unfinished_ones_are_left_out():
    sets = SimpleNamespace(all_sets=lambda: ([_set(b"a", 1), _set(b"b", 3, busy=1)], [_set(b"c", 5)]))
    told = list(own_paths(sets, {b"b"}))
    assert [(path.use, path.busy, path.round_trip_ms) for path in told] == [
        ("open", True, 250.0),
        ("chat", False, 250.0),
        ("spare", False, 250.0),
    ]
    assert told[0].relays == (node_id_text(_id(3)), node_id_text(_id(4)))


def test_members_come_with_load_and_standing_this_machine_first():
    view = SimpleNamespace(
        myself=_id(9),
        members=[
            Member(node_id=_id(1), load=Load(running=2, waiting=1, slots=4), heard=0.0, standing=0.4, accepts=False),
            Member(node_id=_id(9), load=Load(), heard=0.0),
        ],
    )
    info = SimpleNamespace(digest=b"d", model_id="model")
    group = SimpleNamespace(models=lambda: [info], view=lambda digest: view)
    me, other = group_members(group)
    assert me.here
    assert me.node == node_id_text(_id(9))
    assert (other.running, other.waiting, other.slots, other.standing, other.accepts) == (2, 1, 4, 0.4, False)


def test_more_links_than_are_told_are_counted():
    peers = [_id(number) for number in range(MOST_LINKS + 10)]
    mesh = SimpleNamespace(links=lambda: peers, round_trip=lambda _: 0.02, is_relayed=lambda peer: peer == peers[0])
    node = SimpleNamespace(client=SimpleNamespace(mesh=mesh, client=None), peer=None)
    told = topology(node, frozenset())
    assert (len(told.links), told.links_left_out) == (MOST_LINKS, 10)
    assert [link.relayed for link in told.links[:2]] == [True, False]
    assert told.links[0].round_trip_ms == 20.0


def test_without_a_network_there_is_nothing():
    told = topology(SimpleNamespace(client=None, peer=None), frozenset())
    assert told == Topology()


def test_a_chat_is_known_by_what_its_program_calls_it():
    bytes_of = iter([b"1" * 16, b"2" * 16])
    known = Conversations(lambda _: next(bytes_of))
    request = SimpleNamespace(model_id="m", conversation="mine", messages=())
    found = known.find(request)
    known.find(SimpleNamespace(model_id="m", conversation="other", messages=()))
    assert known.names("mine") == {found.name}
    assert known.names("") == frozenset()
