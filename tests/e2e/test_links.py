"""Real WebRTC links between meshes on 127.0.0.1; only the signaling service is a stand-in."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import psutil
import pytest

from engine.crypto.identity import Identity
from engine.ids import NodeId
from engine.transport import connector
from engine.transport.link import Channel
from engine.transport.mesh import MeshConfiguration
from engine.transport.rtc import BUFFER_LIMIT, RtcConfiguration, RtcConnection
from engine.wire.codec import MAX_LINK_MESSAGE, encode
from engine.wire.link import CloseLink
from engine.wire.signaling import LinkAnswer, LinkOffer, LinkRefusal, signal_payload_decoder
from tests.support.links import LocalSignaling
from tests.support.real_links import LOOPBACK, Node, link, pair, running, until


@pytest.fixture(autouse=True)
def nothing_lost(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task of the library may end with an exception that nobody looks at."""
    yield
    gc.collect()
    complaints = [record.getMessage() for record in caplog.get_records("call") if record.name in ("asyncio", "aiortc")]
    assert complaints == []


@pytest.fixture
def signaling() -> LocalSignaling:
    return LocalSignaling()


async def test_link_carries_messages_both_ways_on_both_channels(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        assert (a.handler.ups, b.handler.ups) == ([(b.id, False)], [(a.id, False)])
        ordered = [bytes([9, 200, number]) for number in range(50)]
        for message in ordered:
            assert a.mesh.send(b.id, Channel.CONTROL, message)
            assert b.mesh.send(a.id, Channel.CONTROL, message)
            assert a.mesh.send(b.id, Channel.CELLS, message * 300)
        await until(lambda: len(b.handler.messages) == 100 and len(a.handler.messages) == 50)
        assert [data for _, channel, data in b.handler.messages if channel is Channel.CONTROL] == ordered
        assert sorted(data for _, channel, data in b.handler.messages if channel is Channel.CELLS) == [
            message * 300 for message in ordered
        ]
        assert a.handler.messages == [(b.id, Channel.CONTROL, message) for message in ordered]
        await until(lambda: a.mesh.round_trip(b.id) is not None and b.mesh.round_trip(a.id) is not None)
        assert a.mesh.round_trip(NodeId(bytes(20))) is None
        assert a.mesh.statistics().messages_sent == 100
    assert a.handler.downs == [(b.id, "this node is shutting down")]
    assert [peer for peer, _ in b.handler.downs] == [a.id]


async def test_uvloop_carries_links_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    def run() -> None:
        async def body() -> None:
            await test_link_carries_messages_both_ways_on_both_channels(LocalSignaling())

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(body())

    await asyncio.to_thread(run)


async def test_biggest_message_passes_and_a_bigger_one_is_refused(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        big = b"\x09\xc8" + os.urandom(MAX_LINK_MESSAGE - 2)  # the second byte is not one of a heartbeat
        for channel in Channel:
            assert a.mesh.send(b.id, channel, big)
        assert not a.mesh.send(b.id, Channel.CELLS, big + b"x")
        await until(lambda: len(b.handler.messages) == 2)
        assert {(channel, data) for _, channel, data in b.handler.messages} == {(channel, big) for channel in Channel}
        assert b.id in a.mesh.links()


async def test_peer_that_sends_too_long_a_message_is_cut(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        rough = a.connection(b.id)
        assert rough._peer_connection.sctp is not None
        rough._peer_connection.sctp._remote_max_message_size = 0  # a peer that keeps to no limit
        rough._cells.send(bytes(MAX_LINK_MESSAGE + 1))
        await until(lambda: b.handler.downs)
        assert "longer than 65,536" in b.handler.downs[0][1]
        assert b.handler.messages == []


async def test_full_buffer_refuses_and_drains(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        cell = bytes(32_768)
        sent = 0
        while a.mesh.send(b.id, Channel.CELLS, cell):
            sent += 1
            assert sent <= BUFFER_LIMIT // len(cell)
        assert sent > 1
        await until(lambda: len(b.handler.messages) == sent)
        await until(lambda: a.mesh.send(b.id, Channel.CELLS, cell))
        assert a.mesh.links() == {b.id}


async def test_only_sockets_on_loopback_are_used(signaling: LocalSignaling) -> None:
    process = psutil.Process()
    before = {connection.laddr for connection in process.net_connections("all") if connection.laddr}
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        during = {c.laddr for c in process.net_connections("inet") if c.laddr and c.laddr not in before}
        assert len(during) == 2
        assert {address.ip for address in during} == {"127.0.0.1"}
        offers = [m for m in decoded(signaling) if isinstance(m, LinkOffer | LinkAnswer)]
        assert len(offers) == 2
        for message in offers:
            lines = message.sdp.decode().split("\r\n")
            candidates = [line for line in lines if line.startswith("a=candidate:")]
            assert len(candidates) == 1
            assert " 127.0.0.1 " in candidates[0]
            assert sum(line.startswith("a=fingerprint:") for line in lines) == 1
    after = {c.laddr for c in process.net_connections("inet") if c.laddr and c.laddr not in before}
    assert after == set()


def decoded(signaling: LocalSignaling) -> Iterable[Any]:
    return [signal_payload_decoder.decode(payload) for _, _, payload in signaling.passed]


async def test_killed_peer_is_noticed_within_eight_seconds(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        await until(lambda: a.mesh.round_trip(b.id) is not None)
        signaling.detach(b.id)
        b.kill()
        killed = time.monotonic()
        await until(lambda: a.handler.downs, seconds=8.0)
        assert time.monotonic() - killed > 3.0, "this must have been the heartbeat, not a farewell"
        assert "silent" in a.handler.downs[0][1]
        assert a.mesh.links() == frozenset()
        assert not a.mesh.send(b.id, Channel.CELLS, b"into the void")


async def test_polite_end_tells_the_reason_and_the_link_is_dialled_again(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        b.mesh.disconnect(a.id, "over quota")
        await until(lambda: a.handler.downs and b.handler.downs)
        assert a.handler.downs == [(b.id, "the peer closed the link: over quota")]
        assert b.handler.downs == [(a.id, "over quota")]
        await until(lambda: len(a.handler.ups) == 2 and a.id in b.mesh.links())


async def test_simultaneous_dial_gives_one_link(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    signaling.delay = 0.05
    async with running(a, b):
        a.mesh.want({b.id})
        b.mesh.want({a.id})
        await until(lambda: a.mesh.links() and b.mesh.links())
        await asyncio.sleep(0.3)
        assert (len(a.handler.ups), len(b.handler.ups)) == (1, 1)
        assert (a.handler.downs, b.handler.downs) == ([], [])
        answers = [sender for sender, _, payload in signaling.passed if is_answer(payload)]
        assert answers == [b.id], "the offer of the lower id stands"
        assert a.mesh.send(b.id, Channel.CONTROL, b"\x00\xff")
        await until(lambda: b.handler.messages)


async def test_offer_that_stands_and_was_lost_is_sent_again_when_the_other_side_dials(
    signaling: LocalSignaling,
) -> None:
    """As when a peer is killed and starts again: the offer went to what it was before."""
    a, b = pair(signaling)
    async with running(a, b):
        signaling.change = lambda _sender, _receiver, _payload: None
        a.mesh.want({b.id})
        await until(lambda: a.mesh.router._pending)
        signaling.change = lambda _sender, _receiver, payload: payload
        b.mesh.dial(a.id)
        await until(lambda: a.mesh.links() and b.mesh.links())
        assert (a.mesh.statistics().dials, b.mesh.statistics().dials) == (1, 1)
        assert [is_answer(payload) for _, _, payload in signaling.passed].count(True) == 1
        assert (len(a.handler.ups), len(b.handler.ups)) == (1, 1)


async def test_comings_and_goings_of_links_are_told(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    seen: list[int] = []
    b.mesh.links_changed = lambda: seen.append(len(b.mesh.links()))
    async with running(a, b):
        await link(a, b)
        a.mesh.want(())
        a.mesh.disconnect(b.id, "enough")
        await until(lambda: b.handler.downs)
    assert seen == [1, 0]


def is_answer(payload: bytes) -> bool:
    return isinstance(signal_payload_decoder.decode(payload), LinkAnswer)


async def test_newer_link_replaces_the_older_one_without_a_gap(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    restarted = Node(signaling, 1 if a.identity.seed[0] == 1 else 2)
    assert restarted.id == a.id
    signaling.attach(a.id, a.mesh.router)
    async with running(a, b, restarted):
        await link(a, b)
        a.mesh.want(())
        signaling.attach(a.id, restarted.mesh.router)
        restarted.mesh.want({b.id})
        await until(lambda: b.id in restarted.mesh.links())
        await until(lambda: a.handler.downs)
        assert a.handler.downs == [(b.id, "the peer closed the link: replaced by a newer link")]
        assert b.handler.downs == []
        assert len(b.handler.ups) == 2
        assert b.mesh.send(a.id, Channel.CELLS, b"to the new one")
        await until(lambda: restarted.handler.messages)


async def test_refusal_reaches_the_dialler(signaling: LocalSignaling) -> None:
    client = Node(signaling, 1, replace(LOOPBACK, is_client=True))
    asked: list[tuple[NodeId, bool]] = []

    def refuse(peer: NodeId, peer_is_client: bool) -> str | None:
        asked.append((peer, peer_is_client))
        return "no clients today"

    node = Node(signaling, 2, accept=refuse)
    async with running(client, node):
        client.mesh.dial(node.id)
        await until(lambda: client.mesh.statistics().dials_failed)
        assert asked == [(client.id, True)]
        assert [m.reason for m in decoded(signaling) if isinstance(m, LinkRefusal)] == ["no clients today"]
        node.mesh.dial(client.id)
        await until(lambda: node.mesh.statistics().dials_failed)
        assert [m.reason for m in decoded(signaling) if isinstance(m, LinkRefusal)][-1] == "a client takes no links"
        assert client.handler.ups == node.handler.ups == []


async def test_without_a_turn_server_a_node_with_relayed_links_only_makes_none(signaling: LocalSignaling) -> None:
    hidden = Node(signaling, 1, MeshConfiguration(relayed_only=True))
    other = Node(signaling, 2)
    async with running(hidden, other):
        hidden.mesh.want({other.id})
        other.mesh.dial(hidden.id)
        await until(lambda: other.mesh.statistics().dials_failed)
        assert hidden.mesh.statistics().dials == 0
        assert hidden.mesh.statistics().offers_refused == 1
        (refusal,) = [message for message in decoded(signaling) if isinstance(message, LinkRefusal)]
        assert "relayed links only" in refusal.reason
        assert {sender for sender, _, payload in signaling.passed if b"candidate" in payload} == {other.id}


async def test_peer_that_is_not_online_fails_at_once(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CONNECT_TIMEOUT", 3600.0)  # nothing is waited for
    a, b = pair(signaling)
    signaling.detach(b.id)
    async with running(a):
        a.mesh.dial(b.id)
        await until(lambda: a.mesh.statistics().dials_failed == 1)


async def test_dial_is_tried_again_until_the_peer_is_online(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    signaling.detach(b.id)
    async with running(a, b):
        a.mesh.want({b.id})
        await until(lambda: a.mesh.statistics().dials_failed == 1)
        signaling.attach(b.id, b.mesh.router)
        await until(lambda: a.mesh.links() == {b.id})


Change = Callable[[Any, Identity], Any]


def swapped_fingerprint(message: Any, _attacker: Identity) -> Any:
    """The service puts its own certificate into the description and beside it."""
    own = message.fingerprint.hex(":").upper().encode()
    other = bytes(32)
    return msgspec.structs.replace(
        message, fingerprint=other, sdp=message.sdp.replace(own, other.hex(":").upper().encode())
    )


def fingerprint_in_description_only(message: Any, _attacker: Identity) -> Any:
    own = message.fingerprint.hex(":").upper().encode()
    return msgspec.structs.replace(message, sdp=message.sdp.replace(own, bytes(32).hex(":").upper().encode()))


def second_fingerprint(message: Any, _attacker: Identity) -> Any:
    line = b"a=fingerprint:sha-256 " + bytes(32).hex(":").upper().encode() + b"\r\n"
    return msgspec.structs.replace(message, sdp=message.sdp + line)


def other_identity(message: Any, attacker: Identity) -> Any:
    """Somebody else's key, with the signature of the real one."""
    return msgspec.structs.replace(message, identity_key=attacker.public_key)


def broken_signature(message: Any, _attacker: Identity) -> Any:
    return msgspec.structs.replace(message, signature=bytes([message.signature[0] ^ 1]) + message.signature[1:])


def other_role(message: Any, _attacker: Identity) -> Any:
    if isinstance(message, LinkOffer):
        return msgspec.structs.replace(message, dialler_client=not message.dialler_client)
    return msgspec.structs.replace(message, ufrag="other")


CHANGES: list[Change] = [
    swapped_fingerprint,
    fingerprint_in_description_only,
    second_fingerprint,
    other_identity,
    broken_signature,
    other_role,
]


@pytest.mark.parametrize("kind", [LinkOffer, LinkAnswer])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_changed_signaling_gives_no_link(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch, kind: type, change: Change
) -> None:
    monkeypatch.setattr(connector, "CONNECT_TIMEOUT", 3600.0)  # it is seen, not waited for
    attacker = Identity.from_seed(b"\x07" * 32)

    def tamper(_sender: NodeId, _receiver: NodeId, payload: bytes) -> bytes:
        message = signal_payload_decoder.decode(payload)
        return encode(change(message, attacker)) if isinstance(message, kind) else payload

    a, b = pair(signaling)
    async with running(a, b):
        signaling.change = tamper
        a.mesh.dial(b.id)
        await until(lambda: a.mesh.statistics().dials_failed == 1)
        assert a.handler.ups == b.handler.ups == []
        signaling.change = lambda _sender, _receiver, payload: payload
        a.mesh.dial(b.id)
        await until(lambda: a.mesh.links() == {b.id})


async def test_certificate_must_be_the_signed_one() -> None:
    """Even with the signaling untouched: whoever answers the handshake must hold the signed certificate's key."""
    seen: list[str] = []

    class Observer:
        def connection_open(self, connection: RtcConnection) -> None:
            seen.append("open")

        def connection_message(self, connection: RtcConnection, channel: Channel, data: bytes) -> None:
            seen.append("message")

    local = RtcConfiguration(loopback_only=True)
    one, other = RtcConnection(local, Observer()), RtcConnection(local, Observer())
    answer = await other.answer(await one.offer())
    await one.take_answer(replace(answer, fingerprint=bytes(32)))
    async with asyncio.timeout(60):
        await asyncio.wait((one.closed,))
    assert "certificate" in one.closed.result()
    assert not one.is_open
    await one.close()
    await other.close()
    assert "message" not in seen


async def test_replayed_offer_is_refused(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        offer = next(payload for sender, _, payload in signaling.passed if sender == a.id)
        refused = b.mesh.statistics().offers_refused
        b.mesh.router.on_signal(a.id, offer)
        assert b.mesh.statistics().offers_refused == refused + 1
        b.mesh.router.on_signal(a.id, b"\xc1 not a message")
        b.mesh.router.on_signal(NodeId(bytes(20)), offer)
        assert b.mesh.links() == {a.id}


async def test_loopback_candidates_are_refused_outside_a_loopback_network(signaling: LocalSignaling) -> None:
    a = Node(signaling, 1)
    b = Node(signaling, 2, MeshConfiguration(allow_loopback=False))
    async with running(a, b):
        a.mesh.dial(b.id)
        await until(lambda: a.mesh.statistics().dials_failed == 1)
        reasons = [m.reason for m in decoded(signaling) if isinstance(m, LinkRefusal)]
        assert len(reasons) == 1
        assert "no address that may be used" in reasons[0]
        assert b.handler.ups == []


async def test_failing_handler_costs_its_link_and_nothing_else(
    signaling: LocalSignaling, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = pair(signaling)

    def fail(_peer: NodeId, _channel: Channel, _data: bytes) -> None:
        raise RuntimeError("a fault in the handler")

    b.handler.on_message = fail
    async with running(a, b):
        await link(a, b)
        a.mesh.send(b.id, Channel.CELLS, b"trigger")
        await until(lambda: b.handler.downs)
        assert b.handler.downs == [(a.id, "internal error")]
        assert "a fault in the handler" in caplog.text


async def test_malformed_heartbeat_ends_the_link(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        good = encode(CloseLink(reason="x"))
        a.connection(b.id).send_urgent(good[:-1])
        await until(lambda: b.handler.downs)
        assert "malformed" in b.handler.downs[0][1]


async def test_channel_that_is_not_part_of_a_link_ends_it(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        await link(a, b)
        a.connection(b.id)._peer_connection.createDataChannel("more")
        await until(lambda: b.handler.downs)
        assert "not part of a link" in b.handler.downs[0][1]


async def test_full_mesh_in_one_process(signaling: LocalSignaling) -> None:
    nodes = [Node(signaling, seed) for seed in range(1, 9)]
    async with running(*nodes):
        for node in nodes:
            node.mesh.want([other.id for other in nodes if other.id > node.id])
        await until(lambda: all(len(node.mesh.links()) == 7 for node in nodes))
        assert all(node.mesh.statistics().dials_failed == 0 for node in nodes)
