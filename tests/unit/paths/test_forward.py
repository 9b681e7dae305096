"""Requests on their way between two members: parts, bounds of a member, and what nobody may pass on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.crypto.sealing import SealingKey
from engine.errors import WireError
from engine.ids import NodeId, RequestId
from engine.paths import keys
from engine.paths.answer_sender import CloveOut
from engine.paths.effects import Send
from engine.paths.forward import (
    FIRST_CLOVE_SECONDS,
    FORWARD_BURST,
    MAX_UNFINISHED,
    ForwardOver,
    IncomingForwards,
    OutgoingForward,
    Returned,
)
from engine.paths.member import MemberMachine
from engine.paths.outgoing import Question, Target, prepare
from engine.paths.serving import ExecutionCancelled, ExecutionOffered, ExecutionStarted, Server
from engine.wire.answer import AnswerClove, ChatMessage, Failed, Finished, Sampling, Tokens
from engine.wire.codec import encode
from engine.wire.forward import Forward, ForwardAnswer, ForwardBegun, ForwardEnd, ForwardServed, forwarded_decoder
from engine.wire.link import LinkMessage, ReleaseHandle, link_decoder
from tests.support.answers import NETWORK, WALL, Asker, Node, proxy, seeded

PEER, OTHER = NodeId(b"P" * 20), NodeId(b"O" * 20)


class MemberNode(Node):
    """A member of a group in which everybody is one; ``offers``: it asks who shall serve."""

    def __init__(self, name: bytes, seed: int, *, offers: bool = False) -> None:
        super().__init__(NodeId(name * 20), seed=seed)
        self.node_id = NodeId(name * 20)
        server = Server(NETWORK, self.node_id, lambda: self.keys, WALL - 10, seeded(seed), frozenset([(4, 3)]))
        self.machine: MemberMachine = MemberMachine(server)
        self.machine.offers = lambda _: offers
        self.machine.is_member = lambda _node, _digest: True


def ask(entry: MemberNode, *, may_forward: bool = True, seed: int = 9) -> tuple[Asker, list[object]]:
    """A question on its way to ``entry``; what that does."""
    asker = Asker(entry)
    outgoing = asker.outgoing
    if may_forward:
        question = Question("model", (ChatMessage("user", "?"),), Sampling(seed=1), 50, may_forward=True)
        asker.outgoing = outgoing = prepare(question, entry.target, NETWORK, 4, 3, b"c" * 32, WALL, seeded(seed))
    effects: list[object] = []
    for index in range(3):
        clove = outgoing.clove(index)
        effects += entry.machine.receive(proxy(index), bytes([seed, index]) * 8, clove, 0.0, WALL)
    return asker, effects


def carry(effects: list[object], sender: MemberNode, receiver: MemberNode, now: float) -> list[object]:
    """Bring what one member sends to the other; what that does."""
    out: list[object] = []
    for effect in effects:
        message: LinkMessage | None = None
        if isinstance(effect, Send) and effect.peer == receiver.node_id:
            message = link_decoder.decode(effect.data)
        match message:
            case Forward():
                out += receiver.machine.forwarded_to(sender.node_id, message, now, WALL)
            case ForwardAnswer():
                out += receiver.machine.forward_answered(sender.node_id, message, now)
            case ForwardEnd():
                out += receiver.machine.forward_ended(sender.node_id, message, now)
    return out


def kinds(effects: list[object]) -> list[type]:
    return [type(effect) for effect in effects]


def test_what_is_offered_waits_half_a_second_for_a_decision_and_is_served_here_then() -> None:
    entry = MemberNode(b"E", 1, offers=True)
    asker, effects = ask(entry)
    assert kinds(effects) == [ExecutionOffered]
    assert entry.machine.tick(0.4) == []
    assert entry.machine.next_deadline() == pytest.approx(0.5)
    started = entry.machine.tick(0.51)
    assert ExecutionStarted in kinds(started)
    assert next(one for one in started if isinstance(one, ExecutionStarted)).encoded == asker.outgoing.encoded
    assert entry.machine.keep(asker.request_id, 0.6) == []  # decided once


def test_a_refusal_reaches_the_client_and_nothing_is_started() -> None:
    entry = MemberNode(b"E", 1, offers=True)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    out = entry.machine.refuse(offered.request_id, Failed("overloaded", "full", 3.0, (OTHER,)), 0.1)
    assert set(kinds(list(out))) == {CloveOut}
    assert len(out) == 3


def test_a_request_is_passed_on_once_and_only_once() -> None:
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2, offers=True)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    sends = list(entry.machine.forward(offered.request_id, serving.target, 0.1))
    assert entry.machine.forward(offered.request_id, serving.target, 0.1) == []
    there = carry(sends, entry, serving, 0.1)
    assert ExecutionOffered not in kinds(there)
    assert ExecutionStarted in kinds(there)
    assert not any(isinstance(one, ExecutionStarted) for one in carry(sends, entry, serving, 0.2))  # a replay


@pytest.mark.parametrize(("claimed", "counts"), [(7, 7), (0xFFFF_FFFF, None)])
def test_the_serving_node_hears_how_much_there_is_to_read_and_believes_no_more_than_can_be(
    claimed: int, counts: int | None
) -> None:
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    asker, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    sends = list(entry.machine.forward(offered.request_id, serving.target, 0.1, claimed))
    (started,) = [one for one in carry(sends, entry, serving, 0.1) if isinstance(one, ExecutionStarted)]
    assert started.uncached == (len(asker.outgoing.encoded) if counts is None else counts)


def test_a_request_without_permission_or_of_no_member_is_dropped() -> None:
    for may_forward, is_member in ((False, True), (True, False)):
        entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
        serving.machine.is_member = lambda _node, _digest, answer=is_member: answer  # type: ignore[misc]
        _, effects = ask(entry, may_forward=may_forward)
        (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
        sends = list(entry.machine.forward(offered.request_id, serving.target, 0.1))
        assert carry(sends, entry, serving, 0.1) == []


def test_it_cannot_be_passed_on_in_anothers_name() -> None:
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    sends = list(entry.machine.forward(offered.request_id, serving.target, 0.1))
    assert carry(sends, MemberNode(b"M", 3), serving, 0.1) == []


def test_after_a_second_of_silence_the_entry_node_takes_it_back() -> None:
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    sends = list(entry.machine.forward(offered.request_id, serving.target, 0.1))
    there = carry(sends, entry, serving, 0.1)
    back = entry.machine.tick(1.2)
    assert ExecutionStarted in kinds(list(back))
    assert carry(there, serving, entry, 1.3) == []  # too late
    ended = carry(list(back), entry, serving, 1.3)
    assert serving.machine.running() == []
    assert ended


def test_who_takes_it_and_sends_nothing_loses_it() -> None:
    name, entry, serving = passed_on()
    assert entry.machine.next_deadline() == pytest.approx(0.2 + FIRST_CLOVE_SECONDS)
    entry.machine.forward_answered(serving.node_id, ForwardAnswer(forward_of(entry, name).forward_id, True), 1.0)
    assert entry.machine.next_deadline() == pytest.approx(0.2 + FIRST_CLOVE_SECONDS)  # said again, it is no new word
    back = list(entry.machine.tick(0.21 + FIRST_CLOVE_SECONDS))
    assert ForwardOver(name, None, refused=True) in back
    assert ExecutionStarted in kinds(back)
    late = serving.machine.push(name, Tokens(0, (5,), "a"), 3.0)
    assert all(
        entry.machine.returned(serving.node_id, one.handle, one.clove, 3.0) is None
        for one in late
        if isinstance(one, CloveOut)
    )
    carry(back, entry, serving, 3.1)
    assert serving.machine.running() == []


def test_what_is_answered_is_not_taken_back() -> None:
    name, entry, serving = passed_on()
    give_back(serving.machine.push(name, Tokens(0, (5,), "a"), 0.3), serving, entry, 0.3)
    assert not any(isinstance(one, ExecutionStarted | ForwardOver) for one in entry.machine.tick(10.0))
    refused = ForwardAnswer(forward_of(entry, name).forward_id, False)
    assert entry.machine.forward_answered(serving.node_id, refused, 10.0) == []


def test_what_an_entry_node_had_passed_on_ends_with_it() -> None:
    name, entry, serving = passed_on()
    serving.machine.push(name, Tokens(0, (5,), "a"), 0.3)
    assert serving.machine.link_down(NodeId(b"?" * 20), 0.4) == []
    assert serving.machine.link_down(entry.node_id, 0.4) == [ExecutionCancelled(name)]
    assert serving.machine.running() == []
    assert serving.machine.next_deadline() is None


def test_when_the_link_ends_before_anything_has_come_the_entry_node_serves_itself() -> None:
    name, entry, serving = passed_on()
    out = list(entry.machine.link_down(serving.node_id, 0.3))
    assert next(one for one in out if isinstance(one, ExecutionStarted)).request_id == name


def test_when_the_link_ends_later_the_proxies_hear_it() -> None:
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    there = carry(list(entry.machine.forward(offered.request_id, serving.target, 0.1)), entry, serving, 0.1)
    carry(there, serving, entry, 0.2)
    give_back(serving.machine.push(offered.request_id, Tokens(0, (5,), "a"), 0.2), serving, entry, 0.2)
    out = entry.machine.link_down(serving.node_id, 0.3)
    released = [link_decoder.decode(one.data) for one in out if isinstance(one, Send) and one.peer != serving.node_id]
    assert len(released) == 3
    assert all(isinstance(message, ReleaseHandle) for message in released)
    assert entry.machine._executions == {}


def forward_of(entry: MemberNode, name: RequestId) -> OutgoingForward:
    forward = entry.machine._executions[name].forward
    assert forward is not None
    return forward


def passed_on() -> tuple[RequestId, MemberNode, MemberNode]:
    """A question that ``entry`` has passed on, and ``serving`` has taken."""
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    _, effects = ask(entry)
    (offered,) = [one for one in effects if isinstance(one, ExecutionOffered)]
    there = carry(list(entry.machine.forward(offered.request_id, serving.target, 0.1)), entry, serving, 0.1)
    carry(there, serving, entry, 0.2)
    return offered.request_id, entry, serving


def give_back(effects: Sequence[object], serving: MemberNode, entry: MemberNode, now: float) -> list[object]:
    """Bring answer cloves, and what is said of the answer, to the entry node: requests it learns something of, and
    effects."""
    out: list[object] = []
    for effect in effects:
        if isinstance(effect, CloveOut):
            entry.machine.returned(serving.node_id, effect.handle, effect.clove, now)
        elif isinstance(effect, Send) and effect.peer == entry.node_id:
            message = link_decoder.decode(effect.data)
            if isinstance(message, ForwardBegun | ForwardServed):
                out.append((type(message), entry.machine.forward_told(serving.node_id, message)))
            else:
                assert isinstance(message, ForwardEnd)
                out += entry.machine.forward_ended(serving.node_id, message, now)
    return out


def finished(tokens: int) -> Finished:
    return Finished("stop", 7, tokens, b"", bytes(64), 3)


def test_the_entry_node_hears_when_an_answer_begins_and_ends() -> None:
    name, entry, serving = passed_on()
    first = serving.machine.push(name, Tokens(0, (5,), "a"), 1.0)
    assert give_back(first, serving, entry, 1.1) == [(ForwardBegun, name)]
    assert give_back(first, serving, entry, 1.2) == [(ForwardBegun, None)]  # only once, whatever is said
    assert give_back(serving.machine.push(name, Tokens(1, (6,), "b"), 2.0), serving, entry, 2.1) == []
    last = serving.machine.push(name, finished(2), 3.0)
    assert give_back(last, serving, entry, 3.1) == [(ForwardServed, name)]
    again = [one for one in serving.machine.tick(8.0) if isinstance(one, CloveOut)]  # nobody has acknowledged
    assert again
    give_back(again, serving, entry, 8.1)
    over = give_back(serving.machine.tick(60.0), serving, entry, 60.1)[0]
    assert over == ForwardOver(name, Returned(last=3.1, output_tokens=2))  # resent frames are no new ones


@pytest.mark.parametrize(("claimed", "counts"), [(40, 40), (60, 50)])
def test_a_claim_of_more_than_was_asked_for_counts_as_that(claimed: int, counts: int) -> None:
    name, entry, serving = passed_on()
    give_back(serving.machine.push(name, finished(claimed), 3.0), serving, entry, 3.1)
    forward = entry.machine._executions[name].forward
    assert forward is not None
    assert forward.returned() == Returned(3.1, counts)
    forward.frames.size = 30
    assert forward.returned() == Returned(3.1, 30)  # nor more than a token per byte


def test_what_comes_back_may_be_anything() -> None:
    """Rubbish is passed on, as nobody but the client can tell, and is not measured; nor are old numbers."""
    name, entry, serving = passed_on()
    forward = entry.machine._executions[name].forward
    assert forward is not None
    handle = forward.handles[0]

    def send(clove: bytes, now: float) -> None:
        out = entry.machine.returned(serving.node_id, handle, clove, now)
        assert out is not None
        assert [type(one) for one in out] == [CloveOut]

    send(b"rubbish", 1.0)
    assert forward.returned() == Returned(None, None)
    for number, now in ((0xFFFF_FFFF, 2.0), (0, 3.0), (0xFFFF_FFFF, 4.0), (0, 5.0)):  # numbers begin again after 2^32
        send(encode(AnswerClove(b"", b"", number, 0, b"x" * 10)), now)
    assert forward.returned() == Returned(3.0, None)
    assert forward.frames.size == 20


def test_what_is_taken_back_or_lost_says_nothing_and_what_is_left_unfinished_is_told() -> None:
    def begun() -> tuple[RequestId, MemberNode, MemberNode]:
        name, entry, serving = passed_on()
        give_back(serving.machine.push(name, Tokens(0, (5,), "a"), 0.25), serving, entry, 0.25)
        return name, entry, serving

    name, entry, serving = begun()
    assert ForwardOver(name, None) in entry.machine.link_down(serving.node_id, 0.3)
    name, entry, serving = begun()
    assert ForwardOver(name, None) in entry.machine.leave(0.3)
    name, entry, serving = begun()
    assert ForwardOver(name, Returned(0.25, None)) in entry.machine.tick(100.0)  # silent
    entry, serving = MemberNode(b"E", 1, offers=True), MemberNode(b"S", 2)
    _, effects = ask(entry)
    (name,) = [one.request_id for one in effects if isinstance(one, ExecutionOffered)]
    entry.machine.forward(name, serving.target, 0.1)
    assert ForwardOver(name, None, refused=True) in entry.machine.tick(1.2)


def part(number: int, index: int = 0, count: int = 2) -> Forward:
    return Forward(number.to_bytes(16, "big"), index, count, b"x")


def test_one_member_has_few_unfinished_requests_and_others_have_theirs() -> None:
    incoming = IncomingForwards()
    for number in range(MAX_UNFINISHED):
        assert incoming.add(PEER, part(number), 0.0) is None
    with pytest.raises(WireError, match="unfinished"):
        incoming.add(PEER, part(99), 0.0)
    assert incoming.add(OTHER, part(0), 0.0) is None
    assert incoming.add(PEER, part(0, 1), 0.1) == b"xx"
    assert incoming.add(PEER, part(99), 6.0) is None  # the others were forgotten
    incoming.link_down(PEER)
    assert not any(peer == PEER for peer, _ in incoming._unfinished)


def test_one_member_passes_on_so_many_requests_at_once_and_per_second() -> None:
    incoming = IncomingForwards()
    taken = 0
    for number in range(200):
        try:
            taken += incoming.add(PEER, part(number, 0, 1), 0.0) is not None
        except WireError:
            continue
    assert taken == FORWARD_BURST
    assert incoming.add(PEER, part(500, 0, 1), 0.06) == b"x"
    with pytest.raises(WireError, match="more requests"):
        incoming.add(PEER, part(501, 0, 1), 0.06)


@pytest.mark.parametrize("second", [part(1), part(1, 0, 3), part(1, 1, 3), part(1, 2, 2)])
def test_parts_that_contradict_each_other_are_forgotten(second: Forward) -> None:
    incoming = IncomingForwards()
    incoming.add(PEER, part(1), 0.0)
    with pytest.raises(WireError, match="contradict"):
        incoming.add(PEER, second, 0.0)
    assert incoming._unfinished == {}


def test_the_request_arrives_as_the_client_encoded_it() -> None:
    key, clove = SealingKey.generate(2), SealingKey.generate(1)
    target = Target(OTHER, clove.public, key.public, b"d" * 32, b"t" * 32)
    node = Node()
    asker = Asker(node, text="x" * 100_000)
    forward = OutgoingForward(b"f" * 16, target, NETWORK, PEER, b"m" * 16, 4, 3, 0.0, seeded(3), 100)
    incoming, complete = IncomingForwards(), None
    for send in forward.request(asker.outgoing.encoded, [0, 1, 2]):
        message = link_decoder.decode(send.data)
        assert isinstance(message, Forward)
        complete = incoming.add(PEER, message, 0.0)
    assert complete is not None
    assert len(complete) > 100_000
    info = keys.forward_info(NETWORK, PEER, OTHER)
    record = forwarded_decoder.decode(key.open(complete, info))
    assert record.request == asker.outgoing.encoded
    assert dict(record.paths) == forward.handles
