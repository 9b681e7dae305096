"""Links move to a newer connection: nothing is lost, nothing comes twice on the control channel, circuits live on."""

from __future__ import annotations

import asyncio
import random

import pytest

from engine.transport import established, heartbeat, quality
from engine.transport.link import Channel
from engine.wire.codec import encode
from engine.wire.link import ResumeLink
from tests.support.links import LocalSignaling
from tests.support.real_links import Node, link, running, until
from tests.support.wires_with_faults import Faults, Wires

Pair = tuple[Node, Node, Wires]


def wired_pair(seed: int = 1, faults: Faults | None = None) -> Pair:
    """Two nodes, the lower id first, and the wires between them."""
    wires, signaling = Wires(seed, faults), LocalSignaling()
    nodes = [Node(signaling, number, connect=wires.connect(str(number))) for number in (1, 2)]
    nodes.sort(key=lambda node: node.id)
    return nodes[0], nodes[1], wires


def strand(node: Node, wires: Wires) -> None:
    """The node is in another network."""
    wires.strand(str(node.identity.seed[0]))


async def moved(*nodes: Node) -> None:
    await until(lambda: all(node.mesh.statistics().links_moved for node in nodes))


async def moved_together(a: Node, b: Node, times: int) -> None:
    await until(lambda: a.mesh.statistics().links_moved == b.mesh.statistics().links_moved == times)


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [bytes([9, 200]) + number.to_bytes(4, "big") for number in range(first, first + count)]


def control(node: Node) -> list[bytes]:
    return [data for _, channel, data in node.handler.messages if channel is Channel.CONTROL]


def cells(node: Node) -> list[bytes]:
    return [data for _, channel, data in node.handler.messages if channel is Channel.CELLS]


async def test_link_moves_under_traffic_and_nothing_is_lost() -> None:
    a, b, wires = wired_pair(3, Faults(loss=0.03, delay=0.02, jitter=0.01))
    async with running(a, b):
        await link(a, b)
        messages, dials = numbered(600), (150, 400)
        for number, message in enumerate(messages):
            assert a.mesh.send(b.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CONTROL, message)
            assert a.mesh.send(b.id, Channel.CELLS, message.ljust(1160))
            if number in dials:  # a newer connection while messages are under way on the older one
                await moved_together(a, b, dials.index(number))  # a dial beside one that is under way would be none
                a.mesh._connector.start_dial(b.id, 0.0)
            await asyncio.sleep(0.005)
        await moved_together(a, b, 2)
        await until(lambda: len(control(a)) == len(control(b)) == 600 and len(set(cells(b))) == 600)
        assert control(a) == control(b) == messages
        assert set(cells(b)) == {message.ljust(1160) for message in messages}
        assert (len(a.handler.ups), a.handler.downs) == (len(b.handler.ups), b.handler.downs) == (1, [])
        assert wires.lost > 0
        await until(lambda: len(wires.plugs) == 2)  # the older connections are gone


async def test_change_of_network_keeps_the_link_and_what_was_under_way() -> None:
    a, b, wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        strand(a, wires)
        messages = numbered(100)
        for message in messages:
            assert a.mesh.send(b.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CELLS, message.ljust(1160))
        a.mesh.network_changed()
        await moved(a, b)
        await until(lambda: control(a) == control(b) == messages and len(set(cells(a))) == 100)
        assert (a.handler.downs, b.handler.downs) == ([], [])


async def test_link_that_still_works_is_kept_after_a_change_of_network() -> None:
    a, b, wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        before = a.connection(b.id)
        a.mesh.network_changed()
        await asyncio.sleep(established.PROBE_SECONDS + 0.5)
        assert a.connection(b.id) is before
        assert a.mesh.statistics().dials == 1
        assert len(wires.plugs) == 2


async def test_silence_alone_brings_a_new_connection_before_the_link_counts_as_dead() -> None:
    a, b, wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        strand(b, wires)  # and nobody tells anybody
        await moved(a, b)
        assert (a.handler.downs, b.handler.downs) == ([], [])


async def test_link_that_has_become_slow_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_INTERVAL", 0.2)
    monkeypatch.setattr(heartbeat, "MAXIMUM_PINGS_PER_INTERVAL", 1000)
    monkeypatch.setattr(quality, "SUSTAINED_SECONDS", 1.0)
    a, b, wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        await until(lambda: (a.mesh.round_trip(b.id) or 0) > 0)
        wires.slow(str(a.identity.seed[0]), 0.3)
        await until(lambda: (a.mesh.round_trip(b.id) or 0) > 0.3)
        await moved(a, b)
        await until(lambda: (a.mesh.round_trip(b.id) or 1) < 0.2)
        assert (a.handler.downs, b.handler.downs) == ([], [])


async def test_side_that_gave_the_link_up_gets_a_new_one_and_so_does_the_other() -> None:
    a, b, _wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        b.mesh._links[a.id].connection._open = False  # no farewell
        b.mesh.disconnect(a.id, "given up")
        await until(lambda: b.handler.downs)
        a.mesh._connector.start_dial(b.id, 0.0)
        await until(lambda: len(a.handler.ups) == len(b.handler.ups) == 2)
        assert a.mesh.statistics().links_moved == b.mesh.statistics().links_moved == 0
        assert a.mesh.send(b.id, Channel.CONTROL, b"\x09\xc8")
        await until(lambda: control(b))


async def test_failed_move_leaves_the_older_connection_as_it_was() -> None:
    a, b, _wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        older = a.mesh._links[b.id]
        older.begin_move()
        messages = numbered(10)
        for message in messages:
            assert b.mesh.send(a.id, Channel.CONTROL, message)
        await asyncio.sleep(0.2)
        assert control(a) == []
        older.abandon_move()
        assert control(a) == messages
        assert b.mesh.send(a.id, Channel.CONTROL, b"\x09\xc8")
        await until(lambda: control(a) == [*messages, b"\x09\xc8"])


async def test_disagreement_on_what_arrived_ends_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that claims to have received what was never sent, or less than it acknowledged, gets no continuation."""
    a, b, _wires = wired_pair()
    async with running(a, b):
        await link(a, b)
        b.mesh._links[a.id].connection.control.received += 1000
        a.mesh._connector.start_dial(b.id, 0.0)
        await until(lambda: a.handler.downs)
        assert "disagree" in a.handler.downs[0][1]
        await until(lambda: len(a.handler.ups) == 2 and len(b.handler.ups) == 2)


async def test_peer_that_names_a_replacement_later_is_cut() -> None:
    a, b, _ = wired_pair()
    async with running(a, b):
        await link(a, b)
        a.connection(b.id).send_urgent(encode(ResumeLink(previous=bytes(32), received=0)))
        await until(lambda: b.handler.downs)
        assert "after the first message" in b.handler.downs[0][1]


async def test_changes_of_network_at_random_moments_lose_nothing() -> None:
    source = random.Random(7)
    a, b, wires = wired_pair(7, Faults(loss=0.01, delay=0.01))
    async with running(a, b):
        await link(a, b)
        messages = numbered(900)
        changes = 0
        for number, message in enumerate(messages):
            assert a.mesh.send(b.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CONTROL, message)
            if number % 300 == 100:
                who = source.choice((a, b))
                strand(who, wires)
                who.mesh.network_changed()
                changes += 1
            await asyncio.sleep(0.01)
        await until(lambda: len(control(a)) == len(control(b)) == 900)
        assert control(a) == control(b) == messages
        assert a.mesh.statistics().links_moved >= changes - 1
        assert (a.handler.downs, b.handler.downs) == ([], [])
