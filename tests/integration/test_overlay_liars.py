"""Relays and proxies that do everything at once, over seeds: the right answer arrives, and nobody else reads a word."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from engine.errors import NetworkNotReadyError, ServingNodeLostError
from engine.ids import NodeId
from engine.transport.link import Channel
from engine.wire.circuit import Dispatch
from tests.support.hostile import Mischief
from tests.support.overlay import Member, Overlay


@pytest.mark.parametrize("only", [None, Channel.CELLS, Channel.CONTROL])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_path_of_mischief_never_breaks_an_answer(position: int, only: Channel | None) -> None:
    for seed in range(3):
        overlay = Overlay(relays=16, words=100, seed=seed)
        overlay.until(overlay.ready, 10)
        answer = overlay.ask()
        overlay.until(lambda answer=answer: len(answer.ids) > 5, 10)  # type: ignore[misc]
        mischief = Mischief(overlay.by_id(answer.paths[seed][position]), random.Random(seed), only)
        overlay.until(lambda answer=answer: answer.finished or answer.error is not None, 60)  # type: ignore[misc]
        assert answer.error is None
        assert answer.ids == list(range(100))
        assert mischief.hostile.altered


def _swap(proxy: Member, to: NodeId) -> list[bytes]:
    """This proxy hands every clove to ``to``; gives the cloves."""
    swapped: list[bytes] = []
    read = proxy.peer.relay._proxy.from_circuit

    def reading(circuit: int, message: Any) -> Any:
        if isinstance(message, Dispatch):
            swapped.append(message.clove)
            message = msgspec.structs.replace(message, destination=to)
        return read(circuit, message)

    proxy.peer.relay._proxy.from_circuit = reading  # type: ignore[method-assign]
    return swapped


@pytest.mark.parametrize("to", ["another model node", "itself", "nobody"])
@pytest.mark.parametrize("liars", [1, 4])
def test_a_proxy_that_swaps_the_destination_gives_nobody_anything_to_read(liars: int, to: str) -> None:
    overlay = Overlay(relays=24, models=2, words=40)
    overlay.until(overlay.ready, 10)
    spare = overlay.client.machine.paths.upcoming(b"chat")
    assert spare is not None
    answer = overlay.ask()
    (key,) = overlay.client.machine._answers
    asked = overlay.client.machine._answers[key].outgoing.target.node_id
    (other,) = [model for model in overlay.models if model.node_id != asked]
    swapped = []
    for slot in spare.slots[:liars]:
        proxy = overlay.by_id(slot.hops[-1])
        targets = {"another model node": other.node_id, "itself": proxy.node_id, "nobody": overlay.identify("nobody")}
        swapped.append(_swap(proxy, targets[to]))
    overlay.until(lambda: answer.finished or answer.error is not None, 60)
    assert all(swapped)
    assert not other.peer.serving._admission._requests
    assert not other.peer.serving._executions
    if liars == 1 or answer.error is None:
        assert answer.ids == list(range(40))
    else:  # those that pretend to deliver are not known for liars: the client says so, and what to do
        assert isinstance(answer.error, ServingNodeLostError | NetworkNotReadyError)
        assert "ask again" in str(answer.error).lower()
        assert not overlay.client.machine._answers
