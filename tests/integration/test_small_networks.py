"""Networks of a few machines in simulated time: what carries an answer is what was accepted and what is shown.

Every machine relays; one of them asks and one serves, so a network of N machines has N - 2 relays for a question. The
relays that carried an answer are counted at the relays themselves, not read from what the client says.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable

import pytest

from engine.directory.shapes import Accepted, Shape
from engine.errors import NetworkNotReadyError, WeakerPathsNeededError
from engine.ids import NodeId
from engine.node.privacy import privacy_of
from engine.transport.link import Channel
from engine.wire.records import Parameters
from tests.support.overlay import Collected, Member, Overlay

DIRECT_TOO = Parameters(one_prefix=True, allow_loopback=True, least_n=1, least_path_length=0)
ANYTHING = Accepted(paths=1, hops=1, direct=True)


def network(machines: int, parameters: Parameters = DIRECT_TOO, accepted: Accepted = ANYTHING, **more) -> Overlay:
    """One asks, one serves and relays, the others relay."""
    return Overlay(relays=machines - 2, models_relay=True, parameters=parameters, accepted=accepted, **more)


def count_cells(overlay: Overlay) -> Counter[NodeId]:
    """From now on: how many cells each relay gets from its neighbours."""
    counted: Counter[NodeId] = Counter()
    for member in overlay.members():
        receive = member.peer.link_message

        def counting(
            peer: NodeId,
            channel: Channel,
            data: bytes,
            member: Member = member,
            receive: Callable[[NodeId, Channel, bytes], None] = receive,
        ) -> None:
            counted[member.node_id] += channel is Channel.CELLS
            receive(peer, channel, data)

        member.peer.link_message = counting  # type: ignore[method-assign]
    return counted


def _finished(answer: Collected) -> bool:
    return answer.finished


def words(count: int = 20) -> str:
    return "".join(f"w{index} " for index in range(count))


@pytest.mark.parametrize(
    ("machines", "wanted"),
    [
        (2, Shape(0, 1, 1)),
        (3, Shape(1, 1, 1)),
        (5, Shape(3, 1, 1)),
        (8, Shape(3, 2, 1)),
        (13, Shape(3, 3, 2)),
        (14, Shape(3, 4, 3)),
    ],
)
def test_the_strongest_that_is_possible_is_used_and_shown(machines: int, wanted: Shape) -> None:
    parameters = Parameters(one_prefix=True, allow_loopback=True, least_n=1, least_path_length=0)
    accepted = Accepted(paths=1, hops=1, direct=True)
    if machines == 3:
        parameters = Parameters(
            n=4, k=3, path_length=3, one_prefix=True, allow_loopback=True, least_n=1, least_path_length=1
        )
    overlay = network(machines, parameters, accepted, words=100)
    shape = overlay.ready_in(None)
    assert shape == wanted
    cells = count_cells(overlay)
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: answer.finished, 20)
    assert answer.text == words(100)
    used = {hop for path in answer.paths for hop in path}
    assert len(used) == wanted.relays
    assert {relay for relay, count in cells.items() if count > 2} == used  # of probes there are fewer
    assert answer.numbers == (wanted.n, wanted.k)
    shown = privacy_of(answer.paths, *answer.numbers, overlay.client.choice.full)
    assert (shown.paths, shown.hops, shown.direct) == (wanted.n, wanted.length, wanted.direct)
    assert shown.weaker is (machines < 14)
    assert bool(shown.text) is (machines < 14)


@pytest.mark.parametrize("machines", [2, 5, 8, 13])
def test_nothing_is_weakened_without_a_word(machines: int) -> None:
    overlay = network(machines, accepted=Accepted())
    with pytest.raises(WeakerPathsNeededError) as caught:
        overlay.ready_in(None)
    assert caught.value.missing == 12 - (machines - 2)
    assert caught.value.relays == machines - 2
    assert caught.value.choices
    assert caught.value.choices[-1].hops == 0
    assert "missing" in str(caught.value)
    assert "go direct" in str(caught.value)


def test_every_choice_that_is_offered_can_be_taken() -> None:
    overlay = network(8, accepted=Accepted())
    with pytest.raises(WeakerPathsNeededError) as caught:
        overlay.ready_in(None)
    for number, choice in enumerate(caught.value.choices):
        accepted = Accepted(direct=True) if choice.hops == 0 else Accepted(choice.paths, choice.hops)
        chat = b"chat-%d" % number
        shape = overlay.ready_in(accepted, chat)
        answer = overlay.ask(chat, shape=shape)
        overlay.until(functools.partial(_finished, answer), 20)
        assert answer.text == words()
        assert (shape.n, shape.length) == (choice.paths, choice.hops)
        assert [len(path) for path in answer.paths] == [choice.hops] * (choice.paths if choice.hops else 0)


def test_the_genesis_sets_the_least() -> None:
    overlay = network(5, Parameters(one_prefix=True, allow_loopback=True, least_n=2, least_path_length=2))
    with pytest.raises(WeakerPathsNeededError) as caught:
        overlay.ready_in(ANYTHING)
    assert caught.value.choices == ()


def test_it_returns_to_the_full_paths_by_itself() -> None:
    overlay = network(16, words=10)
    gone = overlay.relays[:6]
    for relay in gone:
        relay.away = True
    overlay.announce()
    weak = overlay.ready_in(None)
    assert weak == Shape(3, 2, 1)
    first = overlay.ask(shape=weak)
    overlay.until(lambda: first.finished, 20)
    for relay in gone:
        relay.away = False
    overlay.announce()
    full = overlay.ready_in(None)
    assert full == Shape(3, 4, 3)
    second = overlay.ask(shape=full)
    overlay.until(lambda: second.finished, 20)
    assert [len(path) for path in second.paths] == [3, 3, 3, 3]
    assert not privacy_of(second.paths, *second.numbers, full).weaker


def test_a_question_that_accepts_nothing_weaker_does_not_share_the_weak_paths_of_its_chat() -> None:
    overlay = network(8, words=400)
    weak = overlay.ready_in(ANYTHING)
    overlay.ask(shape=weak)
    overlay.advance(1)
    with pytest.raises(NetworkNotReadyError):
        overlay.ready_in(Accepted())
    with pytest.raises(NetworkNotReadyError, match="weaker"):
        overlay.ask(shape=overlay.client.choice.full)


def test_a_direct_answer_comes_over_one_link_and_no_relay_passes_a_cell() -> None:
    overlay = network(4, Parameters(n=1, k=1, path_length=0, least_path_length=0, allow_loopback=True))
    shape = overlay.ready_in(Accepted())
    assert shape.direct
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: answer.finished, 10)
    assert answer.text == words()
    assert answer.paths == ()
    assert all(member.peer.relay.circuits == 0 for member in overlay.members())
    shown = privacy_of(answer.paths, *answer.numbers, overlay.client.choice.full)
    assert shown.direct
    assert not shown.weaker  # it is what this network wants
    assert "address" in shown.text


def test_a_direct_answer_ends_with_a_reason_when_its_node_dies() -> None:
    overlay = network(2, words=400)
    shape = overlay.ready_in(None)
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: len(answer.ids) > 5, 10)
    overlay.kill(overlay.models[0])
    overlay.until(lambda: answer.error is not None, 30)
    assert "kept" in str(answer.error)
    assert overlay.client.direct.next_deadline() is None


def test_a_direct_answer_goes_on_over_a_new_link() -> None:
    overlay = network(2, words=200)
    shape = overlay.ready_in(None)
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: len(answer.ids) > 5, 10)
    client, model = NodeId(b"client".ljust(20, b".")), overlay.models[0]
    model.peer.link_up(client, True)
    overlay.client.link_up(model.node_id, False)
    overlay.until(lambda: answer.finished, 30)
    assert answer.ids == list(range(200))


def test_a_direct_answer_goes_on_after_ten_seconds_without_a_link() -> None:
    overlay = network(2, words=200)
    shape = overlay.ready_in(None)
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: len(answer.ids) > 5, 10)
    client, model = NodeId(b"client".ljust(20, b".")), overlay.models[0]
    model.peer.link_down(client, "gone")
    overlay.client.link_down(model.node_id, "gone")
    overlay.advance(10)
    assert answer.error is None
    model.peer.link_up(client, True)
    overlay.client.link_up(model.node_id, False)
    overlay.until(lambda: answer.finished or answer.error is not None, 30)
    assert answer.error is None
    assert answer.ids == list(range(200))


def test_a_direct_answer_comes_over_a_new_link_although_the_first_brought_nothing_of_it() -> None:
    overlay = network(2, words=20)
    model = overlay.models[0]
    overlay.until(lambda: overlay.client.direct.is_linked(model.node_id), 10)
    answer = overlay.ask(shape=overlay.ready_in(None))
    overlay.until(lambda: bool(model.peer.serving.running()), 1)
    assert not answer.events
    model.peer.link_up(NodeId(b"client".ljust(20, b".")), True)
    overlay.client.link_up(model.node_id, False)
    overlay.until(lambda: answer.finished, 10)
    assert answer.ids == list(range(20))


def test_a_cancelled_direct_answer_stops_the_node() -> None:
    overlay = network(2, words=400)
    shape = overlay.ready_in(None)
    answer = overlay.ask(shape=shape)
    overlay.until(lambda: len(answer.ids) > 5, 10)
    (key,) = overlay.client._streams
    overlay.client._apply(overlay.client.end(key))
    overlay.until(lambda: len(overlay.models[0].cancelled) == 1, 2)


def test_a_direct_answer_that_is_cancelled_before_the_node_was_heard_stops_it_too() -> None:
    overlay = network(2, words=400)
    overlay.until(lambda: overlay.client.direct.is_linked(overlay.models[0].node_id), 10)
    answer = overlay.ask(shape=overlay.ready_in(None))
    (key,) = overlay.client._streams
    for _ in range(2):
        overlay.client._apply(overlay.client.end(key))
    overlay.until(lambda: len(overlay.models[0].cancelled) == 1, 1)
    assert not overlay.client.direct._answers
    assert answer.events == []


def test_a_cancelled_direct_question_is_forgotten_with_its_link() -> None:
    overlay = network(2, words=400)
    overlay.until(lambda: overlay.client.direct.is_linked(overlay.models[0].node_id), 10)
    overlay.ask(shape=overlay.ready_in(None))
    (key,) = overlay.client._streams
    overlay.client._apply(overlay.client.end(key))
    overlay.client.link_down(overlay.models[0].node_id, "gone")
    assert not overlay.client.direct._answers
