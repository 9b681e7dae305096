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


def test_the_serving_machine_is_no_relay_of_its_own_question() -> None:
    for seed in range(6):  # where all relay, a draw that forgot it would have it on a path in 12 of 13 cases
        overlay = Overlay(relays=10, models=3, models_relay=True, seed=seed)
        overlay.until(overlay.ready, 15)
        answer = overlay.ask()
        overlay.until(lambda answer=answer: answer.finished, 15)  # type: ignore[misc]
        (asked,) = {target.node_id for target in overlay.models if target.peer.serving._seen}
        assert len(answer.paths) >= overlay.parameters.k
        assert all(asked not in path for path in answer.paths)
        overlay.advance(5)
        path_set = overlay.client.machine.paths.get(b"chat")
        assert path_set is not None
        assert len(path_set.open_slots()) == 4  # the chat's next turn has all paths again, still without it
        assert all(asked not in slot.hops for slot in path_set.slots)


def test_a_destination_that_relays_is_kept_off_a_replaced_path() -> None:
    overlay = Overlay(relays=12, models=2, models_relay=True, words=400)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    (asked,) = {member.node_id for member in overlay.models if member.peer.serving.running()}
    for relay in overlay.relays[:2]:  # the other model node may be needed now, this one may not be used
        overlay.kill(relay)
        overlay.announce()
    overlay.until(lambda: answer.finished, 60)
    assert all(asked not in path for path in answer.paths)


def test_a_network_whose_model_nodes_all_relay_needs_one_more() -> None:
    overlay = Overlay(relays=9, models=3, models_relay=True)
    overlay.advance(1)
    assert "1 is missing" in overlay.client.problem()


@pytest.mark.parametrize("accident", ["away", "contributing"])
def test_a_guard_that_may_not_be_used_now_leaves_its_place_to_the_next(accident: str) -> None:
    overlay = Overlay(relays=20)
    overlay.until(overlay.ready, 10)
    guards = list(overlay.client.guards)
    for name in guards[:2]:
        guard = overlay.by_id(name)
        guard.away = accident == "away"
        guard.model = accident == "contributing"
    overlay.announce()
    answer = overlay.ask()  # takes the paths that are ready; new ones are drawn for the next chat
    overlay.until(lambda: answer.finished, 10)
    overlay.until(overlay.ready, 10)
    following = overlay.ask(b"another chat")
    overlay.until(lambda: following.finished, 10)
    assert all(guard not in path for path in following.paths for guard in guards[:2])
