"""Real links made through a common neighbour, or straight to a listener, with lying neighbours and without a server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.ids import NodeId
from engine.transport import direct_signaling, introductions, signal_router
from engine.transport.link import Channel
from engine.wire.codec import encode
from engine.wire.link import Introduce, NotIntroduced
from engine.wire.signaling import LinkOffer, signal_payload_decoder
from tests.support.links import LocalSignaling
from tests.support.real_links import LOOPBACK, Node, link, running, until


def three(signaling: LocalSignaling) -> tuple[Node, Node, Node]:
    nodes = sorted((Node(signaling, number) for number in (1, 2, 3)), key=lambda node: node.id)
    return nodes[0], nodes[1], nodes[2]


async def test_offer_goes_through_a_common_neighbour_and_the_server_sees_nothing() -> None:
    signaling = LocalSignaling()
    a, middle, b = three(signaling)
    async with running(a, middle, b):
        await link(a, middle)
        await link(middle, b)
        passed = len(signaling.passed)
        a.mesh.want({middle.id, b.id})
        await until(lambda: b.id in a.mesh.links())
        assert len(signaling.passed) == passed
        assert a.mesh.send(b.id, Channel.CELLS, b"hello")
        await until(lambda: b.handler.messages == [(a.id, Channel.CELLS, b"hello")])
        assert middle.handler.messages == [], "introductions are no business of the machines"


async def test_neighbour_that_does_not_know_the_peer_leads_to_the_server_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signal_router, "PATIENCE", 3600.0)  # it is told, not waited for
    signaling = LocalSignaling()
    a, stranger, b = three(signaling)
    async with running(a, stranger, b):
        await link(a, stranger)
        a.mesh.want({stranger.id, b.id})
        await until(lambda: b.id in a.mesh.links())
        assert a.id in {sender for sender, receiver, _ in signaling.passed if receiver == b.id}


Lie = Any


def swapped(message: Introduce) -> Introduce | None:
    """The introducer puts its own certificate into the offer."""
    payload = signal_payload_decoder.decode(message.payload)
    if not isinstance(payload, LinkOffer):
        return message
    return msgspec.structs.replace(message, payload=encode(msgspec.structs.replace(payload, fingerprint=bytes(32))))


def dropped(_message: Introduce) -> Introduce | None:
    return None


def garbage(message: Introduce) -> Introduce | None:
    return msgspec.structs.replace(message, payload=b"\xc1" * 100)


def from_another(message: Introduce) -> Introduce | None:
    """The introducer says that somebody else sent it."""
    return msgspec.structs.replace(message, peer=bytes(20)) if message.delivered else message


@pytest.mark.parametrize("lie", [swapped, dropped, garbage, from_another], ids=lambda lie: lie.__name__)
async def test_lying_introducer_delays_a_link_and_does_no_more(monkeypatch: pytest.MonkeyPatch, lie: Lie) -> None:
    signaling = LocalSignaling()
    a, liar, b = three(signaling)
    assert liar.mesh._introductions is not None
    send = liar.mesh._introductions._send

    def lying(peer: NodeId, message: Introduce | NotIntroduced) -> bool:
        changed = lie(message) if isinstance(message, Introduce) else message
        return changed is None or send(peer, changed)

    monkeypatch.setattr(liar.mesh._introductions, "_send", lying)
    async with running(a, liar, b):
        await link(a, liar)
        await link(liar, b)
        a.mesh.want({liar.id, b.id})
        await until(lambda: b.id in a.mesh.links() and a.id in b.mesh.links(), seconds=12)
        assert [peer for peer, _ in b.handler.ups] == [liar.id, a.id]
        assert b.mesh.links() == {liar.id, a.id}, "nobody came in under another name"


async def test_replaying_introducer_gives_no_second_link(monkeypatch: pytest.MonkeyPatch) -> None:
    signaling = LocalSignaling()
    a, middle, b = three(signaling)
    seen: list[Introduce] = []
    assert middle.mesh._introductions is not None
    send = middle.mesh._introductions._send

    def recording(peer: NodeId, message: Introduce | NotIntroduced) -> bool:
        if isinstance(message, Introduce) and peer == b.id:
            seen.append(message)
        return send(peer, message)

    monkeypatch.setattr(middle.mesh._introductions, "_send", recording)
    async with running(a, middle, b):
        await link(a, middle)
        await link(middle, b)
        a.mesh.want({middle.id, b.id})
        await until(lambda: b.id in a.mesh.links())
        taken = b.mesh.statistics().offers_taken
        for _ in range(20):
            send(b.id, seen[0])
        await asyncio.sleep(0.3)
        assert b.mesh.statistics().offers_taken == taken
        assert len(b.handler.ups) == 2


async def test_introductions_are_limited_per_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introductions, "BURST", 10.0)
    monkeypatch.setattr(introductions, "PER_SECOND", 0.001)
    signaling = LocalSignaling()
    a, middle, b = three(signaling)
    async with running(a, middle, b):
        await link(a, middle)
        await link(middle, b)
        before = b.mesh.statistics().introductions
        for _ in range(50):
            a.mesh.send(middle.id, Channel.CONTROL, encode(Introduce(peer=b.id, delivered=False, payload=b"x")))
        await until(lambda: a.mesh.statistics().introductions >= 40)
        assert b.mesh.statistics().introductions - before == 10
        assert a.mesh.links() == {middle.id}


async def test_clients_neither_ask_for_introductions_nor_get_them() -> None:
    signaling = LocalSignaling()
    guard, other = sorted((Node(signaling, 1), Node(signaling, 2)), key=lambda node: node.id)
    client = Node(signaling, 3, replace(LOOPBACK, is_client=True))
    async with running(guard, other, client):
        await link(guard, other)
        await link(client, guard)
        client.mesh.want({guard.id, other.id})
        await until(lambda: other.id in client.mesh.links())
        assert guard.mesh.statistics().introductions == 0
        asked = encode(Introduce(peer=other.id, delivered=False, payload=b"offer"))
        assert client.mesh.send(guard.id, Channel.CONTROL, asked)
        asked = encode(Introduce(peer=client.id, delivered=False, payload=b"offer"))
        assert other.mesh.send(guard.id, Channel.CONTROL, asked)
        await until(lambda: other.mesh.statistics().introductions == 1)  # the refusal, and nothing else
        assert client.mesh.statistics().introductions == 0


async def test_relay_that_comes_back_without_a_server_relinks_through_one_listener_within_five_seconds() -> None:
    signaling = LocalSignaling()
    relays = sorted((Node(signaling, number) for number in range(1, 7)), key=lambda node: node.id)
    for number, relay in enumerate(relays):
        relay.port.connected = False
        relay.mesh.offer_direct_signaling(lambda _: None, ("127.0.0.1", 0) if number == 3 else None)
    returning, others = relays[1], [relay for relay in relays if relay is not relays[1]]

    def address_of(peer: NodeId) -> str | None:
        door = relays[3].mesh.direct
        return f"127.0.0.1:{door.port}" if peer == relays[3].id and door is not None else None

    returning.mesh.offer_direct_signaling(address_of)
    for relay in relays:
        relay.port.connected = relay is not returning
    signaling.detach(returning.id)  # it is not there yet
    async with running(*others):
        for relay in others:
            relay.mesh.want({other.id for other in relays if other.id > relay.id})
        await until(lambda: all(len(relay.mesh.links()) == 4 for relay in others))
        for relay in others:
            relay.port.connected = False
        async with running(returning):
            begun = time.monotonic()
            returning.mesh.want({other.id for other in others})
            await until(lambda: len(returning.mesh.links()) == 5)
            assert time.monotonic() - begun < 5.0
            assert all(returning.id in relay.mesh.links() for relay in others)
            direct = [relay.mesh.direct for relay in relays]
            assert sum(one._dials for one in direct if one is not None) == 0


async def test_lost_offer_is_repeated_over_a_peers_connection_to_the_listener() -> None:
    signaling = LocalSignaling()
    listener, returning = sorted((Node(signaling, 1), Node(signaling, 2)), key=lambda node: node.id)
    listener.mesh.offer_direct_signaling(lambda _: None, ("127.0.0.1", 0))
    door = listener.mesh.direct
    assert door is not None
    returning.mesh.offer_direct_signaling(lambda _: f"127.0.0.1:{door.port}")
    signaling.change = lambda _sender, _receiver, _payload: None  # the server says nothing more
    async with running(listener, returning):
        await until(lambda: door.port)
        listener.mesh.want({returning.id})
        await until(lambda: listener.mesh.router._pending)
        returning.port.connected = False
        returning.mesh.dial(listener.id)
        await until(lambda: listener.mesh.links() and returning.mesh.links())
        assert (listener.mesh.statistics().dials, returning.mesh.statistics().dials) == (1, 1)
        assert listener.mesh.statistics().offers_taken == 0


async def test_first_link_with_a_relay_is_the_way_to_others_whatever_clients_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signaling = LocalSignaling()
    a, b, c = three(signaling)
    client = Node(signaling, 4, replace(LOOPBACK, is_client=True))
    forward: list[int] = []
    async with running(a, b, c, client):
        monkeypatch.setattr(a.mesh._plan, "bring_forward", lambda _now: forward.append(len(a.mesh.links())))
        await link(client, a)
        assert forward == []
        await link(b, a)
        assert forward == [2]
        await link(c, a)
        assert forward == [2]


async def test_listener_is_bounded_and_gives_nothing_to_who_dawdles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_signaling, "READ_SECONDS", 0.5)
    monkeypatch.setattr(direct_signaling, "ANSWER_SECONDS", 1.0)
    signaling = LocalSignaling()
    node = Node(signaling, 1)
    node.mesh.offer_direct_signaling(lambda _: None, ("127.0.0.1", 0))
    door = node.mesh.direct
    assert door is not None
    async with running(node):
        await until(lambda: door.port)
        before = len(asyncio.all_tasks())
        connections = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(40)]
        for _, writer in connections:
            writer.write(b"\x00")  # one byte of a length
        await asyncio.sleep(0.2)
        assert len(asyncio.all_tasks()) - before <= direct_signaling.MAXIMUM_FROM_ADDRESS
        await until(lambda: len(asyncio.all_tasks()) == before)
        for reader, writer in connections:
            try:
                assert await asyncio.wait_for(reader.read(), 60) == b""
            except ConnectionResetError:
                pass
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write((65_535).to_bytes(2, "big") + bytes(20))
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write((3).to_bytes(2, "big") + bytes(20) + b"\xc1\xc1\xc1")
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()


async def test_listener_whose_port_is_taken_says_so() -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    reasons: list[str] = []
    node = Node(LocalSignaling(), 1)
    node.mesh.offer_direct_signaling(lambda _: None, ("127.0.0.1", port), reasons.append)
    async with taken, running(node):
        await until(lambda: reasons)
    assert f"port {port} cannot be had" in reasons[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.114.7:4711", ("203.0.114.7", 4711)),
        ("[2a00:1450::1]:4711", ("2a00:1450::1", 4711)),
        ("127.0.0.1:4711", None),
        ("169.254.169.254:80", None),
        ("example.org:4711", None),
        ("203.0.114.7:0", None),
        ("203.0.114.7:99999", None),
        ("203.0.114.7", None),
        ("", None),
        (":", None),
    ],
)
def test_listeners_are_literal_public_addresses(text: str, expected: tuple[str, int] | None) -> None:
    assert direct_signaling.parse_address(text, loopback_only=False) == expected
