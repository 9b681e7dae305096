"""Signaling that lies to real links: other names, other answers, old ones, floods. At most it keeps nodes apart."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import msgspec
import pytest

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.ids import NodeId
from engine.transport.handshake import make_answer, make_offer
from engine.transport.limits import LOOKS_PER_SENDER
from engine.transport.link import Channel
from engine.transport.sdp import Candidate, Session, parse_session
from engine.wire.codec import encode
from engine.wire.signaling import LinkAnswer, LinkOffer, LinkRefusal, signal_payload_decoder
from tests.support.links import LocalSignaling
from tests.support.real_links import NETWORK, Node, link, pair, running, until

MALLORY = Identity.from_seed(b"\x0a" * 32)


@pytest.fixture
def signaling() -> LocalSignaling:
    return LocalSignaling()


@pytest.fixture(autouse=True)
def nothing_lost(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No task of the library may end with an exception that nobody looks at. Attempts that lead nowhere end soon."""
    monkeypatch.setattr("engine.transport.connector.CONNECT_TIMEOUT", 2.0)
    yield
    gc.collect()
    complaints = [record.getMessage() for record in caplog.get_records("call") if record.name in ("asyncio", "aiortc")]
    assert complaints == []


def three(signaling: LocalSignaling) -> tuple[Node, Node, Node]:
    nodes = sorted((Node(signaling, number) for number in (1, 2, 3)), key=lambda node: node.id)
    return nodes[0], nodes[1], nodes[2]


async def speaks_with(dialler: Node, other: Node) -> None:
    """The link leads where both of its ends say that it does."""
    assert dialler.mesh.send(other.id, Channel.CELLS, b"for you alone")
    await until(lambda: (dialler.id, Channel.CELLS, b"for you alone") in other.handler.messages)


@pytest.mark.parametrize("lie", ["offer to another", "offer from another", "answer from another", "all names turned"])
async def test_names_that_are_swapped_link_nobody_with_somebody_else(signaling: LocalSignaling, lie: str) -> None:
    a, b, c = three(signaling)
    swapped = {a.id: b.id, b.id: c.id, c.id: a.id}
    deliver = signaling._deliver

    def lying(sender: NodeId, receiver: NodeId, payload: bytes) -> None:
        is_offer = isinstance(signal_payload_decoder.decode(payload), LinkOffer)
        if lie == "offer to another" and is_offer and receiver == b.id:
            deliver(sender, c.id, payload)
        elif (lie == "offer from another" and is_offer) or (lie == "answer from another" and not is_offer):
            deliver(c.id if receiver != c.id else b.id, receiver, payload)
        elif lie == "all names turned":
            deliver(swapped[sender], swapped[receiver], payload)
        else:
            deliver(sender, receiver, payload)

    signaling._deliver = lying  # type: ignore[method-assign]
    async with running(a, b, c):
        a.mesh.dial(b.id)
        await asyncio.sleep(1.0)
        assert [node.mesh.links() for node in (a, b, c)] == [frozenset()] * 3
        assert [node.handler.ups for node in (a, b, c)] == [[], [], []]
        signaling._deliver = deliver  # type: ignore[method-assign]
        await link(a, b)
        await speaks_with(a, b)
        assert not c.handler.ups


async def test_answers_of_earlier_offers_and_of_other_pairs_are_not_taken(signaling: LocalSignaling) -> None:
    a, b, c = three(signaling)
    async with running(a, b, c):
        await link(a, b)
        await link(a, c)
        a.mesh.want({b.id, c.id})
        old = {
            sender: payload
            for sender, receiver, payload in signaling.passed
            if receiver == a.id and isinstance(signal_payload_decoder.decode(payload), LinkAnswer)
        }
        assert old.keys() == {b.id, c.id}
        dropped = 0

        def replay(sender: NodeId, receiver: NodeId, payload: bytes) -> bytes | None:
            """In place of each answer the old ones, of both; the new one is lost."""
            nonlocal dropped
            if receiver == a.id and isinstance(signal_payload_decoder.decode(payload), LinkAnswer):
                dropped += 1
                for answer in old.values():
                    a.mesh.router.on_signal(sender, answer)
                return None
            return payload

        signaling.change = replay
        ups = len(a.handler.ups)
        b.mesh.disconnect(a.id, "again")
        await until(lambda: b.id not in a.mesh.links() and dropped)
        await asyncio.sleep(0.3)
        assert len(a.handler.ups) == ups
        assert a.mesh.links() == {c.id}
        signaling.change = lambda _sender, _receiver, payload: payload
        await until(lambda: b.id in a.mesh.links())
        await speaks_with(a, b)


@pytest.mark.parametrize("forgery", ["own key", "own session", "refusal"])
async def test_answers_that_the_service_makes_itself_give_no_link(signaling: LocalSignaling, forgery: str) -> None:
    """It reads the offer, so it knows the nonce; it lacks the key of the node that was dialled."""
    a, b = pair(signaling)
    forged = 0

    def forge(_sender: NodeId, receiver: NodeId, payload: bytes) -> bytes:
        nonlocal forged
        message = signal_payload_decoder.decode(payload)
        if receiver != a.id or not isinstance(message, LinkAnswer):
            return payload
        forged += 1
        if forgery == "refusal":
            return encode(LinkRefusal(nonce=message.nonce, reason="go away"))
        session = parse_session(message.sdp, "answer")
        own = msgspec.structs.replace(message, fingerprint=bytes(32), ufrag="mallory")
        if forgery == "own session":
            return encode(own)
        offer = next(signal_payload_decoder.decode(sent) for _, to, sent in signaling.passed if to == b.id)
        assert isinstance(offer, LinkOffer)
        _, terms = make_offer(
            MALLORY, NETWORK, b.id, session, is_client=False, now=0.0, random_bytes=lambda _: message.nonce
        )
        return encode(make_answer(MALLORY, NETWORK, terms, session))

    signaling.change = forge
    async with running(a, b):
        a.mesh.dial(b.id)
        await until(lambda: a.mesh.statistics().dials_failed == 1)
        assert forged == 1
        assert a.handler.ups == []
        assert a.mesh.links() == frozenset()
        signaling.change = lambda _sender, _receiver, payload: payload
        await link(a, b)
        await speaks_with(a, b)


async def test_signals_that_are_lost_late_and_doubled_cost_time_alone(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    count = 0
    deliver = signaling._deliver

    def careless(sender: NodeId, receiver: NodeId, payload: bytes) -> None:
        nonlocal count
        count += 1
        if count == 1:
            return  # the first offer is lost
        deliver(sender, receiver, payload)
        deliver(sender, receiver, payload)
        asyncio.get_running_loop().call_later(0.5, deliver, sender, receiver, payload)

    signaling._deliver = careless  # type: ignore[method-assign]
    async with running(a, b):
        a.mesh.dial(b.id)
        await asyncio.sleep(0.3)
        assert not a.mesh.links()
        b.mesh.want({a.id})  # the other side wants it as well, and its offer stands while ours has no answer
        await until(lambda: b.id in a.mesh.links() and a.id in b.mesh.links())
        await asyncio.sleep(0.8)
        assert (len(a.handler.ups), len(b.handler.ups)) == (1, 1)
        await speaks_with(a, b)


async def test_a_flood_of_unsigned_offers_by_one_member_keeps_nobody_out(signaling: LocalSignaling) -> None:
    """The server passes on what members send, with their names; this one sends thousands of offers without a proof."""
    a, b = pair(signaling)
    session = Session("ufrag", "password" * 4, bytes(32), "actpass", "0", 5000, (_nowhere(),))
    offer, _ = make_offer(
        MALLORY, NETWORK, b.id, session, is_client=True, now=SystemClock().wall(), random_bytes=lambda n: bytes(n)
    )
    false = encode(msgspec.structs.replace(offer, signature=bytes(64)))
    async with running(a, b):
        for _ in range(5_000):
            b.mesh.router.on_signal(MALLORY.node_id, false)
        assert b.mesh._connector._gate._by_sender.total() == LOOKS_PER_SENDER
        await link(a, b)
        await speaks_with(a, b)


def _nowhere() -> Candidate:
    return Candidate("1", 2_130_706_431, "127.0.0.1", 9, "host")
