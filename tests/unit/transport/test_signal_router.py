"""Which way an offer takes, and what happens when one fails or says nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from engine.ids import NodeId
from engine.transport import signal_router
from engine.transport.signal_router import DIRECT, SERVER, Kind, SignalRouter, Way
from engine.transport.signaling import SignalHandler

PEER, OTHER = NodeId(b"p" * 20), NodeId(b"o" * 20)
NEIGHBOURS = [NodeId(bytes([number]) * 20) for number in (1, 2, 3)]


class Recorder:
    """Server's port, carrier of the other ways and handler in one; writes down what passes."""

    def __init__(self) -> None:
        self.sent: list[Way] = []
        self.refuses: set[Kind] = set()
        self.heard: list[tuple[NodeId, bytes]] = []
        self.failures: list[tuple[NodeId, str]] = []

    def attach(self, handler: SignalHandler) -> None:
        pass

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        return self.carry(SERVER, peer, payload)

    def carry(self, way: Way, peer: NodeId, payload: bytes) -> bool:
        if way.kind in self.refuses:
            return False
        self.sent.append(way)
        return True

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        self.heard.append((peer, payload))

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        self.failures.append((peer, reason))


def routed(neighbours: Sequence[NodeId] = NEIGHBOURS) -> tuple[SignalRouter, Recorder]:
    recorder = Recorder()
    router = SignalRouter(recorder, recorder, random.Random(1), lambda _peer: neighbours)
    router.add(Kind.NEIGHBOUR, recorder)
    router.add(Kind.DIRECT, recorder)
    return router, recorder


async def test_neighbours_then_the_server_then_the_peer_itself() -> None:
    router, recorder = routed()
    assert router.send_offer(PEER, b"offer")
    for _ in range(3):
        router.failed(recorder.sent[-1], PEER, "away")
    assert [way.kind for way in recorder.sent] == [Kind.NEIGHBOUR, Kind.NEIGHBOUR, Kind.SERVER, Kind.DIRECT]
    assert len({way.via for way in recorder.sent[:2]} & set(NEIGHBOURS)) == 2
    assert recorder.failures == []
    router.failed(DIRECT, PEER, "no answer")
    assert recorder.failures == [(PEER, "no answer (the peer's own listener)")]
    router.failed(DIRECT, PEER, "no answer")
    assert len(recorder.failures) == 1


async def test_way_that_says_nothing_is_left_and_an_answer_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_router, "PATIENCE", 0.05)
    router, recorder = routed(NEIGHBOURS[:1])
    assert router.send_offer(PEER, b"offer")
    await asyncio.sleep(0.07)
    assert [way.kind for way in recorder.sent] == [Kind.NEIGHBOUR, Kind.SERVER]
    router.forget(PEER)  # as the mesh does when the answer is there
    await asyncio.sleep(0.12)
    assert len(recorder.sent) == 2


async def test_late_failure_of_an_earlier_way_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    router, recorder = routed(NEIGHBOURS[:1])
    router.send_offer(PEER, b"offer")
    first = recorder.sent[0]
    router.failed(first, PEER, "not linked")
    router.failed(first, PEER, "not linked")
    assert recorder.failures == []
    assert [way.kind for way in recorder.sent] == [Kind.NEIGHBOUR, Kind.SERVER]


async def test_nothing_takes_it() -> None:
    router, recorder = routed()
    recorder.refuses = set(Kind)
    assert not router.send_offer(PEER, b"offer")
    assert recorder.failures == []


async def test_answers_go_back_the_way_of_the_offer() -> None:
    router, recorder = routed()
    way = Way(Kind.NEIGHBOUR, NEIGHBOURS[0])
    router.arrived(way, PEER, b"offer")
    router.on_signal(OTHER, b"offer")
    assert recorder.heard == [(PEER, b"offer"), (OTHER, b"offer")]
    router.send_reply(PEER, b"answer")
    router.send_reply(OTHER, b"answer")
    assert recorder.sent == [way, SERVER]


async def test_offer_without_an_answer_is_repeated_by_the_way_on_which_the_peers_own_arrives() -> None:
    router, recorder = routed()
    router.send_offer(PEER, b"offer")
    lost, way = recorder.sent[0], Way(Kind.NEIGHBOUR, OTHER)
    router.arrived(way, PEER, b"its offer")
    router.repeat_offer(PEER)
    assert recorder.sent == [lost, way]
    router.forget(PEER)  # answered
    router.repeat_offer(PEER)
    assert recorder.sent == [lost, way]


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_router, "MAXIMUM_PENDING", 4)
    router, recorder = routed()
    peers = [NodeId(bytes([number]) * 20) for number in range(100, 110)]
    assert [router.send_offer(peer, b"offer") for peer in peers] == [True] * 4 + [False] * 6
    for peer in peers:
        router.arrived(Way(Kind.NEIGHBOUR, NEIGHBOURS[0]), peer, b"offer")
    recorder.sent.clear()
    router.send_reply(peers[0], b"answer")
    assert recorder.sent == [SERVER], "forgotten, so the usual way"
    router.close()
