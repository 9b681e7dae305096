"""What who passes offers on sees of a chat during which links are made anew: the bootstrap server and introducers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.ids import NodeId
from engine.transport.link import Channel
from engine.wire.codec import encode
from engine.wire.link import CreateCircuit, Introduce, NotIntroduced, link_decoder
from engine.wire.records import Parameters
from engine.wire.signaling import signal_payload_decoder
from tests.support.capture import disguises
from tests.support.real_links import until
from tests.support.real_overlay import RealOverlay

SMALL = Parameters(n=3, k=2, path_length=2, one_prefix=True, allow_loopback=True)
QUESTION = "where do the violet herons nest"
ANSWER_WORD = "w7 "


@pytest.mark.timeout(120)
async def test_signaling_during_a_chat_shows_who_links_and_nothing_of_the_chat() -> None:
    overlay = RealOverlay(8, SMALL, words=120, pace=0.05)
    introduced: list[tuple[NodeId, Introduce]] = []
    on_links: list[bytes] = []
    for name, mesh in overlay.meshes.items():
        _listen(name, mesh, introduced, on_links)
    async with overlay.running():
        await overlay.all_linked()
        model = overlay.models[0].node_id
        await until(lambda: len(overlay.meshes[model].links()) == 8)
        before = len(overlay.signaling.passed), len(introduced)
        answer = overlay.ask(text=QUESTION)
        await until(lambda: len(answer.ids) > 5)
        handles = [handle for _, handle in overlay.models[0].peer.serving._handles]
        paths = answer.paths
        for path in paths[:1]:  # a proxy loses the model node, a guard its proxy, the client its guard
            overlay.meshes[model].disconnect(path[-1], "test")
            overlay.meshes[path[0]].disconnect(path[1], "test")
        overlay.meshes[overlay.identify("client")].disconnect(paths[1][0], "test")
        await overlay.answered(answer, 120)
        assert len(answer.ids) == 120
        await until(lambda: len(overlay.meshes[model].links()) == 8)
        await asyncio.sleep(0.5)
    seen = [payload for _, _, payload in overlay.signaling.passed] + [message.payload for _, message in introduced]
    assert (len(overlay.signaling.passed), len(introduced)) > before, "links were made during the chat"
    assert introduced

    circuits = {
        message.circuit_id for message in map(link_decoder.decode, on_links) if isinstance(message, CreateCircuit)
    }
    assert len(circuits) > 6
    for payload in seen:
        message = signal_payload_decoder.decode(payload)
        assert encode(message) == payload, "and nothing beside it"
        assert not [name for name in overlay.meshes if bytes(name) in payload], (
            "whose they are says only their signature"
        )
    together = b"".join(seen)
    for text in (QUESTION, ANSWER_WORD):
        assert not [form for form in disguises(text) if len(form) > 3 and form in together]
    assert not [handle for handle in handles if handle in together]
    assert not [circuit for circuit in circuits if circuit in together]
    ends = [(sender, receiver) for sender, receiver, _ in overlay.signaling.passed]
    client = overlay.identify("client")
    assert client not in {message.peer for _, message in introduced}, "no neighbour learns a client's guards"
    assert {one for one, other in ends if client in (one, other)} <= {client, *overlay.client.guards}


def _listen(name: NodeId, mesh: Any, introduced: list[tuple[NodeId, Introduce]], on_links: list[bytes]) -> None:
    """What this node passes on between others, and the control messages that it sends itself."""
    if mesh._introductions is not None:
        send = mesh._introductions._send

        def passing(peer: NodeId, message: Introduce | NotIntroduced) -> bool:
            if isinstance(message, Introduce) and message.delivered:
                introduced.append((name, message))
            return bool(send(peer, message))

        mesh._introductions._send = passing
    out = mesh.send

    def sending(peer: NodeId, channel: Channel, data: bytes) -> bool:
        if channel is Channel.CONTROL:
            on_links.append(data)
        return bool(out(peer, channel, data))

    mesh.send = sending
