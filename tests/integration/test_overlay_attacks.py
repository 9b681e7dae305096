"""Attacks and accidents on a whole overlay in simulated time: hostile nodes, lying proxies, one-way loss, churn."""

from __future__ import annotations

import pytest

from engine.crypto.sealing import SealingKey
from engine.errors import ServingNodeLostError, UnknownModelError
from tests.support.overlay import MODEL, Overlay


class _WeakKey:
    """What a hostile node publishes in place of an X25519 key: a point of low order, of the right length."""

    suite = 1
    public = bytes(32)


@pytest.mark.parametrize("suite", [1, 2])
def test_a_model_node_with_unusable_keys_costs_its_own_answer_only(suite: int) -> None:
    overlay = Overlay()
    overlay.until(overlay.ready, 10)
    weak = _WeakKey()
    weak.suite, weak.public = suite, bytes(len(SealingKey.generate(suite).public))
    seal = overlay.models[0].seal
    overlay.models[0].seal = [key if key.suite != suite else weak for key in seal]  # type: ignore[misc]
    overlay.announce()
    with pytest.raises(ServingNodeLostError, match="keys"):
        overlay.ask()
    overlay.advance(5)  # nothing is left behind that fails later, in a timer
    overlay.models[0].seal = seal
    overlay.announce()
    answer = overlay.ask()
    overlay.until(lambda: answer.finished, 10)


def test_a_model_node_without_keys_is_not_drawn() -> None:
    overlay = Overlay(models=2)
    overlay.models[0].seal = overlay.models[0].seal[:1]
    overlay.announce()
    for _ in range(20):
        assert overlay.client.choose_target(b"chat", MODEL, None, (), None).node_id == overlay.models[1].node_id
    overlay.models[1].seal = []
    overlay.announce()
    with pytest.raises(UnknownModelError):
        overlay.client.choose_target(b"chat", MODEL, None, (), None)
