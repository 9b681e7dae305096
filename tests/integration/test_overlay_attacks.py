"""Attacks and accidents on a whole overlay in simulated time: hostile nodes, lying proxies, one-way loss, churn."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
import pytest

from engine.clock import Clock
from engine.crypto.onion import Hop, build
from engine.crypto.sealing import SealingKey
from engine.errors import InvalidRequestError, NetworkNotReadyError, ServingNodeLostError, UnknownModelError
from engine.ids import CircuitId, NodeId
from engine.paths.effects import Send
from engine.paths.path_sets import MAX_SETS
from engine.transport.link import Channel
from engine.wire.circuit import CircuitMessage, Dispatch, DispatchFailed, Released
from engine.wire.codec import encode
from engine.wire.link import (
    CircuitReply,
    CreateCircuit,
    DeliverClove,
    DestroyCircuit,
    ReleaseHandle,
    ReturnClove,
    link_decoder,
)
from tests.support.hostile import Hostile
from tests.support.overlay import ASKED, TICK, Member, Overlay

CLIENT = NodeId(b"client".ljust(20, b"."))


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
        assert overlay.client.choose_target(b"chat", ASKED, (), (), None).node_id == overlay.models[1].node_id
    overlay.models[1].seal = []
    overlay.announce()
    with pytest.raises(UnknownModelError):
        overlay.client.choose_target(b"chat", ASKED, (), (), None)


def test_a_model_node_that_gives_no_token_is_asked_only_where_there_is_no_other() -> None:
    """It costs whoever draws it twelve seconds, and would be drawn again by every new chat."""
    overlay = Overlay(models=3)
    silent, *others = [one.node_id for one in overlay.models]

    def drawn(avoid: Collection[NodeId] = ()) -> set[NodeId]:
        return {overlay.client.choose_target(b"chat", ASKED, (), avoid, None).node_id for _ in range(60)}

    overlay.client.said_nothing(silent)
    assert drawn() == set(others)
    assert drawn(others) == {silent}
    assert overlay.client.choose_target(b"chat", ASKED, (silent,), (), None).node_id == silent  # its own chats
    overlay.advance(61)
    assert silent in drawn()
    overlay.client.said_nothing(silent)
    overlay.advance(61)
    assert silent not in drawn()
    overlay.client.answered(silent)
    assert silent in drawn()


def test_a_model_node_that_cannot_do_what_is_asked_is_not_drawn() -> None:
    overlay = Overlay(models=2)
    overlay.models[0].abilities = {"tools": False, "token_ids": False}
    overlay.announce()
    wanted = msgspec.structs.replace(ASKED, tools='[{"type":"function","function":{"name":"f"}}]')
    for _ in range(20):
        assert overlay.client.choose_target(b"chat", wanted, (), (), None).node_id == overlay.models[1].node_id
    drawn = {overlay.client.choose_target(b"chat", ASKED, (), (), None).node_id for _ in range(40)}
    assert len(drawn) == 2
    overlay.models[1].abilities = {"tools": False}
    overlay.announce()
    with pytest.raises(InvalidRequestError, match="tools") as caught:
        overlay.client.choose_target(b"chat", wanted, (), (), None)
    assert caught.value.parameter == "tools"


def test_the_serving_machine_is_no_relay_of_its_own_question() -> None:
    for seed in range(6):  # where all relay, a draw that forgot it would have it on a path in 12 of 13 cases
        overlay = Overlay(relays=10, models=3, models_relay=True, seed=seed)
        overlay.until(overlay.ready, 15)
        answer = overlay.ask()
        overlay.until(lambda answer=answer: answer.finished, 15)  # type: ignore[misc]
        (asked,) = {target.node_id for target in overlay.models if target.peer.serving._admission._requests}
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


def _drop(_: bytes) -> list[bytes]:
    return []


def _twice(cell: bytes) -> list[bytes]:
    return [cell, cell]


def _flip(cell: bytes) -> list[bytes]:
    return [cell[:-1] + bytes([cell[-1] ^ 1])]


@pytest.mark.parametrize(("position", "forward"), [(0, True), (1, True), (0, False), (1, False), (2, False)])
@pytest.mark.parametrize("deed", [_drop, _twice, _flip])
def test_a_relay_that_tampers_with_one_direction_costs_at_most_its_path(
    deed: Callable[[bytes], list[bytes]], forward: bool, position: int
) -> None:
    overlay = Overlay(words=900, pace=0.04)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    path = answer.paths[0]
    client = overlay.client.machine
    neighbour = path[position + 1] if forward else (CLIENT, *path)[position]

    def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        return deed(data) if channel is Channel.CELLS and peer == neighbour else [data]

    hostile = Hostile(overlay.by_id(path[position]), alter)
    overlay.until(lambda: answer.finished or answer.error is not None, 90)
    assert answer.error is None
    assert answer.ids == list(range(900))
    assert hostile.altered
    assert not client._answers


def _tireless(overlay: Overlay) -> list[str]:
    """Who wants to be called again at once although it has just been called: its driver would never rest."""
    now = overlay.scheduler.now()
    deadlines = {"client": overlay.client.machine.next_deadline()}
    for member in overlay.members():
        deadlines[f"{member.node_id!r} serving"] = member.peer.serving.next_deadline() if member.alive else None
        deadlines[f"{member.node_id!r} relay"] = member.peer.relay.next_deadline() if member.alive else None
    return [name for name, deadline in deadlines.items() if deadline is not None and deadline <= now]


@pytest.mark.parametrize("accident", ["nothing", "node", "paths", "acknowledgements", "relays"])
def test_no_machine_wants_to_be_called_without_a_pause(accident: str) -> None:
    overlay = Overlay(words=600, pace=0.04)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    if accident == "node":
        overlay.models[0].alive = False  # its links stay: it hangs
    elif accident == "paths":
        for path in answer.paths:
            Hostile(overlay.by_id(path[1]), lambda _peer, channel, data: [] if channel is Channel.CELLS else [data])
    elif accident == "acknowledgements":
        for path in answer.paths:
            Hostile(
                overlay.by_id(path[0]),
                lambda peer, channel, data: [] if channel is Channel.CELLS and peer != CLIENT else [data],
            )
    elif accident == "relays":
        for relay in overlay.relays:
            overlay.kill(relay)
    busy: list[str] = []
    for _ in range(6000):  # without acknowledgements the node pauses, and gives up only when paths stay useless
        overlay.advance(TICK)
        busy += _tireless(overlay)
        if answer.finished or answer.error is not None:
            break
    assert answer.finished or answer.error is not None
    assert len(busy) <= 30


def test_many_short_chats_in_a_row_never_run_out_of_paths() -> None:
    overlay = Overlay(relays=12, words=1)
    clock = overlay.scheduler.clock
    for index in range(90):
        overlay.until(overlay.ready, 5)
        overlay.ask(b"chat-%d" % index)
        (key,) = overlay.client.machine._answers
        overlay.client._apply(overlay.client.machine.cancel(key, clock.monotonic(), clock.wall()))
    overlay.until(overlay.ready, 5)
    assert len(overlay.client.machine.paths._sets) <= MAX_SETS
    assert overlay.client.machine.paths.get(b"chat-89") is not None
    assert overlay.client.machine.paths.get(b"chat-0") is None


def test_a_guard_that_breaks_paths_when_they_are_open_does_not_get_to_try_again() -> None:
    overlay = Overlay(relays=20)
    attempts = []

    def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        if channel is Channel.CONTROL and peer == CLIENT:
            message = link_decoder.decode(data)
            if isinstance(message, CircuitReply):
                attempts.append(overlay.scheduler.now())
                return [data, encode(DestroyCircuit(message.circuit_id))]
        return [data]

    Hostile(overlay.by_id(overlay.client.guards[0]), alter)
    overlay.until(overlay.ready, 10)
    overlay.advance(25)
    assert overlay.ready()
    assert 1 <= len(attempts) <= 4


def test_a_guard_whose_new_paths_are_silent_rests() -> None:
    """It carries every set-up and no cell. Its paths are replaced, over other guards for a while."""
    overlay = Overlay(relays=24)
    silent = overlay.client.guards[0]
    set_ups = []

    def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        if channel is Channel.CONTROL and peer == CLIENT and isinstance(link_decoder.decode(data), CircuitReply):
            set_ups.append(overlay.scheduler.now())
        return [] if channel is Channel.CELLS else [data]

    Hostile(overlay.by_id(silent), alter)
    overlay.until(overlay.ready, 10)
    before = len(set_ups)
    assert before >= 1
    overlay.advance(20)  # a probe after 10 s, and 8 s to reply
    assert overlay.ready()
    overlay.client.machine.paths.ensure(b"chat", overlay.scheduler.clock.monotonic())  # and the next ones are built
    overlay.advance(25)
    assert overlay.ready()
    assert len(set_ups) == before


def test_guards_that_are_missing_from_a_directory_keep_their_places() -> None:
    overlay = Overlay(relays=40)
    overlay.until(overlay.ready, 10)
    first = list(overlay.client.guards)
    missing = [overlay.by_id(name) for name in first[:5]]
    for round_number in range(20):  # a server that leaves guards out again and again draws no others out of the client
        for member in missing if round_number % 2 == 0 else []:
            member.alive = False
        overlay.announce()
        for member in missing:
            member.alive = True
    assert overlay.client.guards[: len(first)] == first
    assert len(overlay.client.guards) == len(first) + 5
    for member in overlay.relays:
        member.alive = False
    overlay.announce()  # a server that lost its memory
    for member in overlay.relays:
        member.alive = True
    overlay.announce()
    assert overlay.client.guards[: len(first)] == first
    overlay.until(overlay.ready, 20)


def test_the_list_of_guards_is_bounded_however_many_leave_for_good() -> None:
    overlay = Overlay(relays=40)
    overlay.until(overlay.ready, 10)
    for relay in list(overlay.relays[:28]):
        overlay.kill(relay)
        overlay.announce()
        overlay.advance(0.05)
        present = [guard for guard in overlay.client.guards if overlay.by_id(guard).alive]
        assert len(present) >= 8
        assert len(overlay.client.guards) <= 16
    overlay.until(overlay.ready, 60)


def test_others_stand_in_for_guards_that_are_listed_but_away() -> None:
    """A guard that has died stays listed until its descriptor expires; a client must not run out of guards by that."""
    overlay = Overlay(relays=40)
    overlay.until(overlay.ready, 10)
    first = list(overlay.client.guards)
    for name in first[:6]:
        overlay.by_id(name).away = True
        overlay.internet.kill(name)
    overlay.announce()
    assert overlay.client.guards[: len(first)] == first
    assert len(overlay.client.guards) == len(first) + 6
    overlay.until(overlay.ready, 20)
    for name in first[:6]:  # they are back
        overlay.by_id(name).away = False
    overlay.announce()
    assert overlay.client.guards[: len(first)] == first


def test_a_client_that_comes_back_goes_on_with_its_guards() -> None:
    overlay = Overlay(relays=40)
    overlay.until(overlay.ready, 10)
    guards = list(overlay.client.guards)
    overlay.internet.kill(CLIENT)
    overlay.restart_client(guards)
    assert overlay.client.guards == guards
    overlay.until(overlay.ready, 10)


def test_a_path_whose_link_is_full_is_replaced_at_once() -> None:
    overlay = Overlay(relays=40, words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    sender = overlay.client.sender
    assert sender is not None
    full = answer.paths[0][0]

    class _Full:
        """The client's links, of which the one with a guard takes no more cells."""

        def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
            return not (peer == full and channel is Channel.CELLS) and sender.send(peer, channel, data)

        def __getattr__(self, name: str) -> object:
            return getattr(sender, name)

    overlay.client.sender = _Full()  # type: ignore[assignment]
    overlay.until(lambda: all(full not in path for path in answer.paths), 4)
    overlay.until(lambda: answer.finished, 20)


def test_paths_that_fail_count_against_their_guard_alone() -> None:
    overlay = Overlay(relays=40)
    overlay.until(overlay.ready, 10)
    overlay.advance(35)
    counts = {guard.node_id: (guard.successes, guard.failures) for guard in overlay.client.guard_list.state.guards}
    assert sorted(counts.values()) == [(0, 0)] * 4 + [(1, 0)] * 4
    hostile = overlay.client.guards[0]

    def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        return [] if channel is Channel.CELLS else [data]  # opens paths and lets nothing through

    Hostile(overlay.by_id(hostile), alter)
    overlay.advance(60)
    for guard in overlay.client.guard_list.state.guards:
        assert (guard.failures > 0) == (guard.node_id == hostile)


def _lie(member: Member, what: Callable[[bytes], CircuitMessage]) -> list[bytes]:
    """This proxy answers every clove with a lie in place of delivering it; gives the handles that it met."""
    met: list[bytes] = []

    def from_circuit(_circuit: int, message: CircuitMessage) -> tuple[list[Send], CircuitMessage | None]:
        if not isinstance(message, Dispatch):
            return [], None
        met.append(message.handle)
        return [], what(message.handle)

    member.peer.relay._proxy.from_circuit = from_circuit  # type: ignore[method-assign, assignment]
    return met


@pytest.mark.parametrize("moment", ["before", "during"])
@pytest.mark.parametrize("lie", [Released, lambda handle: DispatchFailed(handle, "not listed")])
@pytest.mark.parametrize("liars", [1, 2])
def test_lying_proxies_cost_only_their_paths(liars: int, lie: Callable[[bytes], CircuitMessage], moment: str) -> None:
    overlay = Overlay(relays=24, words=200)
    overlay.until(overlay.ready, 10)
    spare = overlay.client.machine.paths.upcoming(b"chat")
    assert spare is not None
    proxies = [slot.hops[-1] for slot in spare.slots][:liars]
    if moment == "before":
        handles = [_lie(overlay.by_id(name), lie) for name in proxies]
    answer = overlay.ask()
    if moment == "during":
        overlay.until(lambda: len(answer.ids) > 10, 10)
        handles = [_lie(overlay.by_id(name), lie) for name in proxies]
    overlay.until(lambda: answer.finished or answer.error is not None, 40)
    assert answer.error is None
    assert answer.ids == list(range(200))
    assert all(handles)
    assert all(path[-1] not in proxies for path in answer.paths)


def test_a_forged_release_of_somebody_else_has_no_effect() -> None:
    overlay = Overlay(words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    node = overlay.models[0]
    paths = answer.paths
    stranger = next(relay for relay in overlay.relays if all(relay.node_id not in path for path in paths))
    for _, handle in list(node.peer.serving._handles):
        for message in (ReleaseHandle(handle), DeliverClove(handle, b""), ReturnClove(handle, b"")):
            stranger.endpoint.send(node.node_id, Channel.CONTROL, encode(message))
            for path in paths:
                stranger.endpoint.send(path[-1], Channel.CONTROL, encode(message))
    overlay.until(lambda: answer.finished, 20)
    assert answer.paths == paths
    assert node.cancelled == []


def test_who_does_not_relay_is_no_proxy_either() -> None:
    overlay = Overlay(relays=12, models=1)
    node, neighbour = overlay.models[0], overlay.relays[0]
    overlay.until(overlay.ready, 10)
    hop = Hop(node.node_id, node.onion.public_key().public_bytes_raw(), CircuitId(7), 1000)
    packet, _ = build([hop], overlay.scheduler.clock.wall(), overlay.random_bytes)
    message = CreateCircuit((7).to_bytes(8, "big"), packet)
    neighbour.endpoint.send(node.node_id, Channel.CONTROL, encode(message))
    overlay.advance(1)
    assert node.peer.relay.circuits == 0


def test_a_model_node_that_restarts_in_mid_answer_gives_an_error_and_serves_again() -> None:
    overlay = Overlay(words=400)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    old = overlay.models[0]
    overlay.kill(old)
    overlay.models[0] = Member(overlay, "model-0", model=True, words=20, pace=0.05)  # new keys, the same identity
    overlay.announce()
    overlay.until(lambda: answer.error is not None, 15)
    assert isinstance(answer.error, ServingNodeLostError)
    following = overlay.ask(b"chat")
    overlay.until(lambda: following.finished, 10)


@pytest.mark.parametrize("skew", [-115.0, 115.0])
@pytest.mark.parametrize("restarted", [False, True])
def test_clocks_two_minutes_apart_cost_nothing(skew: float, restarted: bool) -> None:
    overlay = Overlay(started_ago=0.0 if restarted else 3600.0)
    clock = overlay.scheduler.clock
    overlay.client._clock = _Skewed(clock, skew)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask(wall=clock.wall() + skew)
    overlay.until(lambda: answer.finished, 10)


class _Skewed:
    """A clock that shows another time of day."""

    def __init__(self, clock: Clock, skew: float) -> None:
        self._clock, self._skew = clock, skew

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wall(self) -> float:
        return self._clock.wall() + self._skew


def test_a_partition_that_heals_in_time_costs_only_time() -> None:
    overlay = Overlay(words=600)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    overlay.internet.partition([CLIENT], [member.node_id for member in overlay.members()])
    overlay.advance(4)
    overlay.internet.heal()
    overlay.until(lambda: answer.finished, 60)
    assert answer.ids == list(range(600))


def test_a_partition_that_lasts_ends_with_a_reason_and_without_remains() -> None:
    overlay = Overlay(words=600)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    overlay.internet.partition([CLIENT], [member.node_id for member in overlay.members()])
    overlay.until(lambda: answer.error is not None, 60)
    assert isinstance(answer.error, NetworkNotReadyError)
    overlay.advance(60)
    assert len(overlay.models[0].cancelled) == 1 or not overlay.models[0].peer.serving._executions
    assert not overlay.models[0].peer.serving._handles
    overlay.internet.heal()
    overlay.until(overlay.ready, 90)
    again = overlay.ask()
    overlay.until(lambda: again.finished, 60)
    assert sum(member.peer.relay.circuits for member in overlay.relays) <= 3 * 8 + 3


def test_cancelled_in_every_moment_leaves_nothing_behind() -> None:
    overlay = Overlay(relays=12, words=30, pace=0.02)
    overlay.until(overlay.ready, 10)
    clock = overlay.scheduler.clock
    machine = overlay.client.machine
    for step in range(60):
        answer = overlay.ask()
        key = max(machine._answers)
        overlay.advance(TICK * step)
        for _ in range(2):  # also of an answer that has ended, and twice
            overlay.client._apply(machine.cancel(key, clock.monotonic(), clock.wall()))
        events = len(answer.events)
        overlay.advance(0.1)
        assert len(answer.events) == events
    overlay.advance(5)
    path_set = machine.paths.get(b"chat")
    assert path_set is not None
    assert path_set.busy == 0
    assert not machine._answers
    assert not machine._handles
    overlay.advance(40)
    assert not overlay.models[0].peer.serving._executions
    assert not overlay.models[0].peer.serving._handles
    assert sum(len(relay.peer.relay._proxy) for relay in overlay.relays) <= 4


def test_a_node_that_serves_too_few_paths_cannot_keep_an_answer_waiting_for_ever() -> None:
    overlay = Overlay(words=2000)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    served = {path[-1] for path in answer.paths[:2]}

    def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        return [data] if peer in served or not isinstance(link_decoder.decode(data), ReturnClove) else []

    Hostile(overlay.models[0], alter)
    overlay.until(lambda: answer.error is not None, 40)
    assert isinstance(answer.error, NetworkNotReadyError)
    assert not overlay.client.machine._answers


@pytest.mark.parametrize("what", ["relays", "model"])
def test_an_answer_outlives_its_entries_in_the_directory(what: str) -> None:
    overlay = Overlay(words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 10, 10)
    paths = answer.paths
    unlisted = overlay.models if what == "model" else [overlay.by_id(hop) for path in paths for hop in path]
    for member in unlisted:
        member.alive = False
    overlay.announce()
    for member in unlisted:
        member.alive = True
    overlay.until(lambda: answer.finished, 30)
    assert answer.ids == list(range(200))
    assert answer.paths == paths


def test_the_last_words_arrive_although_two_paths_have_died_unnoticed() -> None:
    overlay = Overlay(relays=24, words=40)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 20, 10)
    for path in answer.paths[:2]:
        Hostile(overlay.by_id(path[1]), lambda _peer, channel, data: [] if channel is Channel.CELLS else [data])
    overlay.until(lambda: answer.finished or answer.error is not None, 40)
    assert answer.error is None
    assert answer.ids == list(range(40))
