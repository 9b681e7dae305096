"""Peers that are slow, endless or many, on real links: bounded memory and tasks, and others notice nothing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from aiortc.rtcsctptransport import DataChunk

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.transport import attempt as attempt_module
from engine.transport import connector, established
from engine.transport.handshake import make_offer
from engine.transport.link import Channel
from engine.transport.sdp import Candidate, Session
from engine.wire.codec import encode
from tests.support.links import LocalSignaling
from tests.support.real_links import NETWORK, Node, link, pair, running, until

NOWHERE = Candidate("1", 2_130_706_431, "127.0.0.1", 9, "host")


@pytest.fixture
def signaling() -> LocalSignaling:
    return LocalSignaling()


@pytest.fixture(autouse=True)
def nothing_lost(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task of the library may end with an exception that nobody looks at."""
    yield
    gc.collect()
    complaints = [record.getMessage() for record in caplog.get_records("call") if record.name in ("asyncio", "aiortc")]
    assert complaints == []


def half_open_offer(seed: int, target: Node) -> tuple[Identity, bytes]:
    """A valid offer of somebody who will never connect."""
    identity = Identity.from_seed(seed.to_bytes(32, "big"))
    session = Session("ufrag", "password" * 4, bytes([seed % 256]) * 32, "actpass", "0", 5000, (NOWHERE,))
    offer, _ = make_offer(
        identity,
        NETWORK,
        target.id,
        session,
        is_client=True,
        now=SystemClock().wall(),
        random_bytes=lambda count: (seed.to_bytes(4, "big") * 8)[:count],
    )
    return identity, encode(offer)


def sctp(node: Node, peer: Node) -> Any:
    found = node.connection(peer.id)._peer_connection.sctp
    assert found is not None
    return found


async def test_strangers_who_never_finish_keep_nobody_out(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "HALF_OPEN_SECONDS", 0.5)
    a, b = pair(signaling)
    async with running(a, b):
        quiet = len(asyncio.all_tasks())
        most = 0
        for seed in range(1000, 1080):
            identity, offer = half_open_offer(seed, b)
            b.mesh.router.on_signal(identity.node_id, offer)
            await asyncio.sleep(0.01)
            most = max(most, len(b.mesh._connector.answered))
        assert most == b.mesh._configuration.maximum_answers
        busy = len(asyncio.all_tasks())
        await link(a, b)  # in spite of all
        assert len(b.mesh._connector.answered) <= b.mesh._configuration.maximum_answers
        for attempt in list(b.mesh._connector.answered.values()):
            attempt.fail("the test is over")
        await until(lambda: len(asyncio.all_tasks()) <= quiet + (busy - quiet) // 4)
        assert a.mesh.links() == {b.id}


async def test_flood_of_offers_of_one_peer_costs_a_dozen_answers(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    identity = Identity.from_seed(b"\x09" * 32)
    async with running(a, b):
        await link(a, b)
        taken = b.mesh.statistics().offers_taken
        for seed in range(200):
            session = Session("ufrag", "password" * 4, bytes(32), "actpass", "0", 5000, (NOWHERE,))
            offer, _ = make_offer(
                identity,
                NETWORK,
                b.id,
                session,
                is_client=True,
                now=SystemClock().wall(),
                random_bytes=lambda count, seed=seed: (seed.to_bytes(4, "big") * 8)[:count],  # type: ignore[misc]
            )
            b.mesh.router.on_signal(identity.node_id, encode(offer))
        assert b.mesh.statistics().offers_taken - taken == 12
        assert len(b.mesh._connector.answered) == 1
        b.mesh._connector.answered[identity.node_id].fail("the test is over")
        await until(lambda: not b.mesh._connector.answered)
        assert (a.handler.downs, b.handler.downs) == ([], [])


async def test_forged_offers_do_not_use_up_what_a_peer_may_offer(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        for seed in range(50):
            _, offer = half_open_offer(seed, b)
            b.mesh.router.on_signal(a.id, offer)  # in the name of a
        await link(a, b)


async def test_unfinished_messages_are_bounded_and_other_links_go_on(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    other = Node(signaling, 3)
    async with running(a, b, other):
        await link(a, b)
        await link(other, b) if other.id < b.id else await link(b, other)
        rough = sctp(a, b)

        async def endless() -> None:
            for number in range(20_000):
                chunk = DataChunk()
                chunk.flags = 4 | (2 if number == 0 else 0)  # unordered, the first of a message that has no last
                chunk.tsn = rough._local_tsn
                chunk.stream_id, chunk.stream_seq, chunk.protocol = 1, 0, 53
                chunk.user_data = bytes(1100)
                rough._local_tsn = (rough._local_tsn + 1) % 2**32
                try:
                    await rough._send_chunk(chunk)
                except ConnectionError:
                    return
                if number % 50 == 0:
                    if a.id not in b.mesh.links():
                        return
                    await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as tasks:
            flood = tasks.create_task(endless())
            await until(lambda: b.handler.downs)
            flood.cancel()
        assert b.handler.downs[0][0] == a.id
        assert "receive window" in b.handler.downs[0][1]
        assert other.mesh.send(b.id, Channel.CELLS, b"still here")
        await until(lambda: (other.id, Channel.CELLS, b"still here") in b.handler.messages)


async def test_peer_that_acknowledges_nothing_is_cut_and_other_links_go_on(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(established, "DRAIN_TIMEOUT", 1.0)
    a, b = pair(signaling)
    other = Node(signaling, 3)
    async with running(a, b, other):
        await link(a, b)
        await link(other, b) if other.id < b.id else await link(b, other)

        async def nothing() -> None:
            return None

        monkeypatch.setattr(sctp(a, b), "_send_sack", nothing)
        sent = 0
        async with asyncio.timeout(60):
            while not b.handler.downs:
                sent += b.mesh.send(a.id, Channel.CELLS, bytes(1160))
                if sent % 50 == 0:
                    await asyncio.sleep(0.001)
                if not b.mesh.send(a.id, Channel.CELLS, bytes(1160)):
                    await asyncio.sleep(0.05)
        assert "took too little" in b.handler.downs[0][1]
        assert sent < 1000, "its buffer is bounded"
        assert b.mesh.send(other.id, Channel.CELLS, b"still here")
        await until(lambda: (b.id, Channel.CELLS, b"still here") in other.handler.messages)


async def test_peer_that_never_says_what_it_replaces_holds_its_place_for_a_bounded_time(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CONNECT_TIMEOUT", 1.0)
    a, b = pair(signaling)
    monkeypatch.setattr(a.mesh._table, "greet", lambda _attempt: None)
    async with running(a, b):
        a.mesh.dial(b.id)
        await until(lambda: b.mesh._connector.answered)
        await until(lambda: not b.mesh._connector.answered and not a.mesh._connector.dialled, seconds=10)
        assert b.handler.ups == []
        assert b.mesh._connector.attempts == {}
        await until(lambda: a.mesh.links() == frozenset())


async def test_flood_before_the_first_message_ends_the_attempt(
    signaling: LocalSignaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_module, "MAXIMUM_EARLY_MESSAGES", 100)
    monkeypatch.setattr(connector, "CONNECT_TIMEOUT", 3600.0)  # which does not end it
    a, b = pair(signaling)

    def flood(attempt: Any) -> None:
        for _ in range(300):
            attempt.connection.send(Channel.CELLS, bytes(100))

    monkeypatch.setattr(a.mesh._table, "greet", flood)
    async with running(a, b):
        a.mesh.dial(b.id)
        await until(lambda: b.mesh.statistics().offers_taken)
        await until(lambda: not b.mesh._connector.answered and not a.mesh._connector.dialled)
        assert (b.handler.ups, b.handler.messages) == ([], [])


async def test_link_flapped_by_its_peer_is_dialled_ever_more_seldom(signaling: LocalSignaling) -> None:
    a, b = pair(signaling)
    async with running(a, b):
        a.mesh.want({b.id})
        times = []
        for _ in range(5):
            await until(lambda: a.id in b.mesh.links())
            times.append(SystemClock().monotonic())
            b.mesh.disconnect(a.id, "flap")
            await until(lambda: b.id not in a.mesh.links())
        assert times[4] - times[3] > 3.9, "1, 2, 4, 8 s, each shortened by at most half"
