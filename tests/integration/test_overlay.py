"""Questions through a whole overlay in simulated time: the same machines as in production, on the memory internet."""

from __future__ import annotations

import pytest

from engine.crypto.onion import Hop, build
from engine.errors import NetworkNotReadyError, ServingNodeLostError
from engine.ids import CircuitId, NodeId
from engine.paths.patience import FIRST_FRAME_SECONDS
from engine.transport.link import Channel
from engine.transport.memory_links import Conditions
from engine.wire.codec import encode
from engine.wire.link import CreateCircuit
from engine.wire.records import Parameters
from tests.support.overlay import Overlay


def words(count: int) -> str:
    return "".join(f"w{index} " for index in range(count))


def test_a_question_crosses_four_disjoint_paths_of_three() -> None:
    overlay = Overlay()
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: answer.finished, 10)
    assert answer.text == words(20)
    assert answer.ids == list(range(20))
    assert [len(path) for path in answer.paths] == [3, 3, 3, 3]
    assert len({hop for path in answer.paths for hop in path}) == 12


def test_a_chat_keeps_its_paths_and_another_one_gets_its_own() -> None:
    overlay = Overlay(relays=24)
    overlay.until(overlay.ready, 10)
    first = overlay.ask(b"one")
    overlay.until(lambda: first.finished, 10)
    overlay.until(overlay.ready, 10)
    again, other = overlay.ask(b"one"), overlay.ask(b"two")
    overlay.until(lambda: again.finished and other.finished, 10)
    assert again.paths == first.paths
    assert set(other.paths).isdisjoint(first.paths)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_answer_survives_a_relay_killed_without_a_word(position: int) -> None:
    overlay = Overlay(words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    victim = answer.paths[1][position]
    overlay.kill(overlay.by_id(victim))
    overlay.until(lambda: answer.finished, 40)
    assert answer.ids == list(range(200))
    assert len(answer.paths) == 4
    assert all(victim not in path for path in answer.paths)


def test_an_answer_survives_a_relay_that_stops_relaying_and_the_relay_comes_back() -> None:
    """As when its owner's link becomes a metered one: the circuits' ends hear so and need not wait for a silence."""
    overlay = Overlay(words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    member = overlay.by_id(answer.paths[1][1])
    member.peer.set_relaying(False, 1e6)
    overlay.until(lambda: member.peer.relay.circuits == 0, 1)
    overlay.until(lambda: answer.finished, 40)
    assert answer.ids == list(range(200))
    assert all(member.node_id not in path for path in answer.paths)
    assert not member.peer._usable_keys()
    member.peer.set_relaying(True, 1e6)
    assert member.peer._usable_keys()


def test_an_answer_survives_two_paths_lost_at_once() -> None:
    overlay = Overlay(words=400)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    overlay.kill(overlay.by_id(answer.paths[0][1]))
    overlay.kill(overlay.by_id(answer.paths[2][2]))
    overlay.until(lambda: answer.finished, 60)
    assert answer.ids == list(range(400))


def test_a_dead_serving_node_gives_a_clear_error() -> None:
    overlay = Overlay(words=400)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    overlay.kill(overlay.models[0])
    took = overlay.until(lambda: answer.error is not None, 20)
    assert isinstance(answer.error, ServingNodeLostError)
    assert "ask again" in str(answer.error)
    assert took < 12
    assert answer.ids == list(range(len(answer.ids)))


def test_with_all_relays_gone_an_answer_ends_with_a_reason() -> None:
    overlay = Overlay(words=2000)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    for relay in overlay.relays[:14]:
        overlay.kill(relay)
    overlay.until(lambda: answer.error is not None, 60)
    assert isinstance(answer.error, NetworkNotReadyError)


def test_too_few_relays_say_how_many_are_missing() -> None:
    overlay = Overlay(relays=9)
    overlay.advance(3)
    assert not overlay.ready()
    assert "3 are missing" in overlay.client.problem()
    assert "weaker" in overlay.client.problem()
    assert not overlay.client.is_ready(b"chat", waited=1)  # three paths would carry it, but never silently
    with pytest.raises(NetworkNotReadyError, match="3 are missing"):
        overlay.client.is_ready(b"chat", waited=4)


def test_small_networks_whose_genesis_asks_for_less() -> None:
    overlay = Overlay(relays=2, parameters=Parameters(n=1, k=1, path_length=2, one_prefix=True))
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: answer.finished, 10)
    assert answer.text == words(20)
    assert len(answer.paths) == 1


def test_delay_jitter_and_loss_only_cost_time() -> None:
    overlay = Overlay(words=50, conditions=Conditions(delay=0.04, jitter=0.04, loss=0.02, retransmission=0.3))
    overlay.until(overlay.ready, 20)
    answer = overlay.ask()
    overlay.until(lambda: answer.finished, 30)
    assert answer.ids == list(range(50))


def test_a_cancelled_answer_stops_the_node() -> None:
    overlay = Overlay(words=400)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    now, wall = overlay.scheduler.clock.monotonic(), overlay.scheduler.clock.wall()
    (key,) = overlay.client._streams
    overlay.client._apply(overlay.client.machine.cancel(key, now, wall))
    overlay.until(lambda: len(overlay.models[0].cancelled) == 1, 2)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.04, 0.06])
def test_an_answer_that_is_cancelled_before_the_node_was_heard_stops_it_too(after: float) -> None:
    """Nothing can be sealed to an execution before its first clove has come."""
    overlay = Overlay(words=400, conditions=Conditions(delay=0.01))
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.advance(after)
    assert not answer.events
    now, wall = overlay.scheduler.clock.monotonic(), overlay.scheduler.clock.wall()
    (key,) = overlay.client._streams
    overlay.client._apply(overlay.client.machine.cancel(key, now, wall))
    overlay.until(lambda: len(overlay.models[0].cancelled) == 1, 1)
    assert answer.events == []
    assert answer.error is None
    assert not overlay.client.machine._answers


def test_a_cancelled_question_that_nobody_takes_is_forgotten_in_silence() -> None:
    overlay = Overlay(words=400)
    overlay.until(overlay.ready, 10)
    overlay.kill(overlay.models[0])
    answer = overlay.ask()
    machine = overlay.client.machine
    (key,) = overlay.client._streams
    overlay.client._apply(machine.cancel(key, overlay.scheduler.clock.monotonic(), overlay.scheduler.clock.wall()))
    overlay.until(lambda: not machine._answers, FIRST_FRAME_SECONDS + 1)
    assert not machine._handles
    path_set = machine.paths.get(b"chat")
    assert path_set is not None
    assert path_set.busy == 0
    assert answer.events == []
    assert answer.error is None


def test_twenty_answers_at_a_time() -> None:
    overlay = Overlay(relays=20, words=60)
    overlay.until(overlay.ready, 10)
    answers = []
    for index in range(20):
        answers.append(overlay.ask(b"chat-%d" % index))
        overlay.advance(0.2)
    overlay.until(lambda: all(answer.finished for answer in answers), 30)
    assert all(answer.ids == list(range(60)) for answer in answers)


def test_a_link_that_is_replaced_takes_its_circuits_with_it() -> None:
    """The transport may open a second link with a peer without saying that the first is gone."""
    overlay = Overlay(words=300)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    guard, proxy = answer.paths[0][0], answer.paths[1][2]
    client = NodeId(b"client".ljust(20, b"."))
    overlay.by_id(guard).peer.link_up(client, True)
    overlay.client.link_up(guard, False)
    overlay.by_id(proxy).peer.link_up(overlay.models[0].node_id, False)
    overlay.models[0].peer.link_up(proxy, False)
    overlay.until(lambda: answer.finished, 40)
    assert answer.ids == list(range(300))


def test_a_node_that_does_not_relay_ends_no_circuits() -> None:
    """Not even those of somebody who knows an onion key that it had published before."""
    overlay = Overlay(relays=12)
    overlay.until(overlay.ready, 10)
    node = overlay.models[0]
    packet, _ = build(
        [Hop(node.node_id, node.onion.public_key().public_bytes_raw(), CircuitId(5), 1000)],
        overlay.scheduler.clock.wall(),
        overlay.random_bytes,
    )
    relay = overlay.relays[0]
    message = CreateCircuit(circuit_id=(5).to_bytes(8, "big"), onion=packet)
    node.peer.link_message(relay.node_id, Channel.CONTROL, encode(message))
    assert node.peer.relay.circuits == 0


def test_relays_at_their_limit_slow_an_answer_down_and_ask_for_no_more_paths() -> None:
    """20 cells of 1,160 bytes per second are twice what the relays pass on. Nothing is lost, and nothing piles up."""
    overlay = Overlay(relays=24, words=1500, bandwidth=12_000)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask(b"one")
    begun = overlay.scheduler.now()
    while not answer.finished:
        overlay.advance(0.1)
        assert answer.error is None
        assert max(relay.peer.relay.held_cells for relay in overlay.relays) < 100
        assert overlay.scheduler.now() < begun + 1500 * 0.05 + 15
    assert answer.ids == list(range(1500))
    used = {hop for path in answer.paths for hop in path}
    saturated = {relay.node_id for relay in overlay.relays if relay.peer.saturated}
    assert saturated
    assert saturated <= used
    overlay.announce()
    directory = overlay.client._directory
    assert directory is not None
    drawn = directory.usable_relays(overlay.scheduler.clock.wall())
    assert saturated.isdisjoint(node.node_id for node in drawn)
