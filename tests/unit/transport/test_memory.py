"""The internet in memory behaves like links do, and the same seed gives the same run."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.ids import NodeId
from engine.transport.link import Channel, LinkHandler, LinkSender
from engine.transport.memory import RELAYED_SECONDS, MemoryEndpoint, MemoryInternet
from engine.transport.memory_links import Conditions
from engine.transport.memory_routers import Router
from engine.transport.scheduler import LoopScheduler, ManualScheduler
from engine.wire.codec import MAX_LINK_MESSAGE
from tests.support.links import RecordingHandler

A, B, C = (NodeId(bytes([number]) * 20) for number in (1, 2, 3))


class World:
    """A manual internet with recording nodes."""

    def __init__(self, conditions: Conditions | None = None, seed: int = 1) -> None:
        self.scheduler = ManualScheduler()
        self.internet = MemoryInternet(self.scheduler, random.Random(seed), conditions)
        self.handlers: dict[NodeId, RecordingHandler] = {}

    def add(self, node_id: NodeId, **options: Any) -> MemoryEndpoint:
        self.handlers[node_id] = RecordingHandler()
        return self.internet.endpoint(node_id, self.handlers[node_id], **options)


def linked(conditions: Conditions | None = None, seed: int = 1) -> tuple[World, MemoryEndpoint, MemoryEndpoint]:
    world = World(conditions, seed)
    a, b = world.add(A), world.add(B)
    a.want({B})
    world.scheduler.advance(60.0)
    assert [a.links(), b.links()] == [{B}, {A}]
    return world, a, b


def test_it_has_the_interface_of_every_transport() -> None:
    _, a, _ = linked()
    sender: LinkSender = a
    handler: LinkHandler = RecordingHandler()
    assert sender.links() == {B}
    handler.link_down(B, "nothing")


def test_messages_arrive_after_the_delay() -> None:
    world, a, b = linked(Conditions(delay=0.25))
    assert world.handlers[A].ups == [(B, False)]
    assert world.handlers[B].ups == [(A, False)]
    assert a.send(B, Channel.CELLS, b"cell")
    world.scheduler.advance(0.24)
    assert world.handlers[B].messages == []
    world.scheduler.advance(0.02)
    assert world.handlers[B].messages == [(A, Channel.CELLS, b"cell")]
    assert b.send(A, Channel.CONTROL, b"back")
    world.scheduler.advance(1)
    assert world.handlers[A].messages == [(B, Channel.CONTROL, b"back")]
    assert a.round_trip(B) == 0.5
    assert a.round_trip(C) is None


def test_control_keeps_order_cells_do_not_and_nothing_is_lost() -> None:
    world, a, _ = linked(Conditions(delay=0.01, jitter=0.1, loss=0.2))
    numbers = [bytes([number]) for number in range(200)]
    for number in numbers:
        assert a.send(B, Channel.CONTROL, number)
        assert a.send(B, Channel.CELLS, number)
    world.scheduler.advance(60)
    received = world.handlers[B].messages
    control = [data for _, channel, data in received if channel is Channel.CONTROL]
    cells = [data for _, channel, data in received if channel is Channel.CELLS]
    assert control == numbers
    assert cells != numbers
    assert sorted(cells) == numbers


def test_same_seed_same_run() -> None:
    def run(seed: int) -> list[bytes]:
        world, a, _ = linked(Conditions(jitter=0.1, loss=0.3), seed)
        for number in range(100):
            a.send(B, Channel.CELLS, bytes([number]))
        world.scheduler.advance(60)
        return [data for _, _, data in world.handlers[B].messages]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_buffer_and_message_size_are_bounded() -> None:
    world, a, _ = linked(Conditions(bandwidth=1000.0, buffer=3000))
    assert not a.send(C, Channel.CELLS, b"nobody")
    assert not linked()[1].send(B, Channel.CELLS, bytes(MAX_LINK_MESSAGE + 1))
    assert [a.send(B, Channel.CELLS, bytes(1000)) for _ in range(4)] == [True, True, True, False]
    world.scheduler.advance(1.1)
    assert len(world.handlers[B].messages) == 1, "1,000 bytes a second"
    assert a.send(B, Channel.CELLS, bytes(1000))


def test_disconnect_tells_both_ends_and_the_link_comes_back() -> None:
    world, a, b = linked()
    b.disconnect(A, "enough")
    assert world.handlers[B].downs == [(A, "enough")]
    assert world.handlers[A].downs == []
    world.scheduler.advance(0.02)
    assert world.handlers[A].downs == [(B, "enough")]
    world.scheduler.advance(5)
    assert a.links() == {B}
    assert len(world.handlers[B].ups) == 2


def test_killed_node_is_noticed_by_silence_and_found_again_after_its_restart() -> None:
    world, a, _ = linked()
    world.internet.kill(B)
    assert a.send(B, Channel.CELLS, b"into the void")
    world.scheduler.advance(6.9)
    assert a.links() == {B}
    world.scheduler.advance(0.2)
    assert a.links() == frozenset()
    assert "silent" in world.handlers[A].downs[0][1]
    world.scheduler.advance(30)
    assert a.links() == frozenset()
    b = world.add(B)
    world.scheduler.advance(120)
    assert [a.links(), b.links()] == [{B}, {A}]


def test_partition_holds_messages_and_kills_links_that_it_outlasts() -> None:
    world, a, b = linked()
    world.internet.partition([A], [B])
    a.send(B, Channel.CELLS, b"late")
    world.scheduler.advance(5)
    assert world.handlers[B].messages == []
    world.internet.heal()
    world.scheduler.advance(5)
    assert world.handlers[B].messages == [(A, Channel.CELLS, b"late")]
    assert a.links() == {B}
    world.internet.partition([A], [B])
    world.scheduler.advance(8)
    assert (a.links(), b.links()) == (frozenset(), frozenset())
    world.scheduler.advance(100)
    assert a.links() == frozenset()
    world.internet.heal()
    world.scheduler.advance(100)
    assert a.links() == {B}


def test_message_under_way_when_the_partition_comes_waits_too() -> None:
    world, a, _ = linked(Conditions(delay=1.0))
    a.send(B, Channel.CELLS, b"under way")
    world.scheduler.advance(0.5)
    world.internet.partition([A])
    world.scheduler.advance(3)
    assert world.handlers[B].messages == []
    world.internet.heal()
    world.scheduler.advance(2)
    assert world.handlers[B].messages == [(A, Channel.CELLS, b"under way")]


def test_cut_link_is_down_at_both_ends_at_once() -> None:
    world, _, _ = linked()
    world.internet.kill_link(A, B)
    assert [h.downs for h in world.handlers.values()] == [
        [(B, "the link was cut")],
        [(A, "the link was cut")],
    ]


def test_refusals_clients_and_full_nodes() -> None:
    world = World()
    a = world.add(A, is_client=True)
    b = world.add(B, accept=lambda _peer, is_client: "no clients" if is_client else None)
    c = world.add(C, maximum_links=1)
    a.want({B, C})
    world.scheduler.advance(5)
    assert a.links() == {C}
    assert world.handlers[C].ups == [(A, True)]
    b.want({A, C})
    world.scheduler.advance(200)
    assert b.links() == frozenset()
    assert c.links() == {A}


def test_both_sides_dialling_gives_one_link() -> None:
    world = World()
    a, b = world.add(A), world.add(B)
    a.want({B})
    b.want({A})
    world.scheduler.advance(5)
    assert [a.links(), b.links()] == [{B}, {A}]
    assert [len(handler.ups) for handler in world.handlers.values()] == [1, 1]
    assert [handler.downs for handler in world.handlers.values()] == [[], []]


def test_handler_may_close_the_link_as_it_comes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    a, b = world.add(A), world.add(B)
    monkeypatch.setattr(world.handlers[B], "link_up", lambda peer, _is_client: b.disconnect(peer, "go away"))
    a.want({B})
    world.scheduler.advance(0.5)
    assert (a.links(), b.links()) == (frozenset(), frozenset())


@pytest.mark.parametrize("wrong", [{"loss": 1.0}, {"loss": -0.1}, {"delay": -1.0}])
def test_impossible_conditions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Conditions(**wrong)


async def test_it_runs_on_the_event_loop_too() -> None:
    internet = MemoryInternet(LoopScheduler(SystemClock()), random.Random(1), Conditions(delay=0.001))
    handlers = {node_id: RecordingHandler() for node_id in (A, B)}
    a = internet.endpoint(A, handlers[A])
    internet.endpoint(B, handlers[B])
    a.want({B})
    async with asyncio.timeout(5):
        while not a.links():
            await asyncio.sleep(0.005)
        assert a.send(B, Channel.CELLS, b"cell")
        while not handlers[B].messages:
            await asyncio.sleep(0.005)
    assert handlers[B].messages == [(A, Channel.CELLS, b"cell")]


def test_full_mesh_of_sixty_nodes_in_simulated_time() -> None:
    world = World(Conditions(delay=0.05, jitter=0.01))
    ids = [NodeId(number.to_bytes(20, "big")) for number in range(1, 61)]
    endpoints = [world.add(node_id) for node_id in ids]
    for endpoint in endpoints:
        endpoint.want([node_id for node_id in ids if node_id > endpoint.node_id])
    world.scheduler.advance(2)
    assert all(len(endpoint.links()) == 59 for endpoint in endpoints)


def test_change_of_network_delays_what_is_under_way_and_loses_nothing() -> None:
    world, a, b = linked(Conditions(delay=0.05))
    assert a.send(B, Channel.CONTROL, b"before")
    world.internet.change_network(A)
    assert a.send(B, Channel.CONTROL, b"after")
    assert b.send(A, Channel.CELLS, b"back")
    world.scheduler.advance(1.5)
    assert world.handlers[B].messages == world.handlers[A].messages == []
    world.scheduler.advance(0.5)
    assert world.handlers[B].messages == [(A, Channel.CONTROL, b"before"), (A, Channel.CONTROL, b"after")]
    assert world.handlers[A].messages == [(B, Channel.CELLS, b"back")]
    world.scheduler.advance(60)
    assert world.handlers[A].downs == world.handlers[B].downs == []


def test_change_of_network_without_a_way_to_signal_ends_the_links_at_both_ends() -> None:
    world, _, _ = linked()
    world.internet.server_away = True
    world.internet.change_network(A)
    world.scheduler.advance(10)
    assert [peer for peer, _ in world.handlers[A].downs] == [B]
    assert [peer for peer, _ in world.handlers[B].downs] == [A]


def test_without_a_server_links_are_made_through_neighbours_and_listeners() -> None:
    world = World()
    a, b, c = world.add(A), world.add(B), world.add(C)
    a.want({B})
    world.scheduler.advance(60)
    world.internet.server_away = True
    c.want({A, B})
    world.scheduler.advance(60)
    assert c.links() == frozenset()
    world.internet.listeners.add(A)
    world.scheduler.advance(70)
    assert c.links() == {A, B}
    assert b.links() == {A, C}


def test_routers_that_let_nobody_in_are_linked_through_the_turn_server_or_not_at_all() -> None:
    for turn_server in (True, False):
        world = World(Conditions(delay=0.25))
        world.internet.turn_server = turn_server
        symmetric = world.add(A, router=Router.SYMMETRIC)
        world.add(B, router=Router.PORT_RESTRICTED)
        world.add(C, router=Router.ADDRESS_RESTRICTED)
        symmetric.want({B, C})
        world.scheduler.advance(60.0)
        assert symmetric.links() == ({B, C} if turn_server else {C})
        assert [symmetric.is_relayed(peer) for peer in (B, C)] == [True if turn_server else None, False]
        if not turn_server:
            continue
        assert symmetric.round_trip(B) == pytest.approx(0.5 + 2 * RELAYED_SECONDS)
        assert symmetric.send(B, Channel.CELLS, b"cell")
        world.scheduler.advance(0.26)
        assert world.handlers[B].messages == []
        world.scheduler.advance(RELAYED_SECONDS)
        assert world.handlers[B].messages == [(A, Channel.CELLS, b"cell")]
