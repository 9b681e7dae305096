"""An answer whose other side is hostile, or whose acknowledgements and replacements are lost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.crypto.sealing import seal
from engine.crypto.symmetric import Aead
from engine.ids import NodeId
from engine.paths import keys
from engine.paths.admission import Admission
from engine.paths.answer_receiver import FRAME_WINDOW
from engine.paths.answer_sender import HEARTBEAT_SECONDS, MAX_FRAME_TEXT, MAX_UNACKNOWLEDGED, AnswerSender, CloveOut
from engine.paths.assembling import MAX_ASSEMBLED_BYTES
from engine.paths.room import MAX_EXECUTIONS
from engine.paths.serving import ExecutionStarted
from engine.wire.answer import Acknowledge, Checkpoint, Failed, Finished, RequestClove, SealedClove, Stage, Tokens
from engine.wire.codec import encode
from tests.support.answers import NETWORK, WALL, Asker, Node, proxy, seeded

FINISHED = Finished("stop", 5, 3, b"record", b"s" * 64)


def start(node: Node, asker: Asker) -> list[object]:
    effects: list[object] = []
    for index in range(4):
        clove = asker.outgoing.clove(index)
        effects += node.machine.receive(proxy(index), bytes([index]) * 16, clove, 0.0, asker.outgoing.request.sealed_at)
    return effects


def tokens(position: int) -> Tokens:
    return Tokens(first=position, ids=(position,), text=f"w{position} ")


def full_sender() -> tuple[AnswerSender, float]:
    """A sender whose frames nobody acknowledges, and the time."""
    sender = AnswerSender(b"a" * 32, NodeId(b"S" * 20), 0, 4, 3, seeded(3), 0.0)
    for index in range(4):
        sender.attach(index, proxy(index), bytes([index]) * 16, b"c" * 32)
    now = 0.0
    for position in range(MAX_UNACKNOWLEDGED + 20):
        sender.push(tokens(position), now)
        now += 0.05
    assert sender.paused
    return sender, now


def gaps(acknowledged_after: float) -> tuple[list[float], int]:
    """Times between frames of 50 tokens per second when each is acknowledged so many seconds after it left, once that
    has settled; and the most frames that were on their way."""
    sender = AnswerSender(b"a" * 32, NodeId(b"S" * 20), 0, 1, 1, seeded(3), 0.0)
    sender.attach(0, proxy(0), b"h" * 16, b"c" * 32)
    left: list[float] = []
    most = 0
    for step in range(6000):
        now = step * 0.01
        arrived = sum(at <= now - acknowledged_after for at in left)
        out = sender.acknowledge(Acknowledge(next_frame=arrived, missing=(), announced=0, counter=step), now)
        out += (sender.push(tokens(step), now) if step % 2 else []) + sender.tick(now)
        left += [now] * len(out)
        most = max(most, len(left) - arrived)
    settled = [at for at in left if at > 30]
    return [later - earlier for earlier, later in pairwise(settled)], most


def test_where_acknowledgements_come_late_frames_are_fewer_and_larger() -> None:
    """So relays at their limit slow an answer down instead of filling up with it."""
    prompt, _ = gaps(0.5)
    assert max(prompt) < 0.055
    for late in (2.0, 4.0, 6.0):
        between, most = gaps(late)
        assert sum(between) / len(between) == pytest.approx(late / 16, rel=0.3)
        assert most < 60


def test_a_full_sender_goes_on_repeating_its_oldest_frame() -> None:
    sender, now = full_sender()
    sent: list[CloveOut] = []
    for _ in range(100):
        now += 0.05
        sent += sender.tick(now)
        assert sender.next_deadline() > now
    assert 4 * 5.0 / (4 * HEARTBEAT_SECONDS) - 4 < len(sent) < 4 * 5.0 / HEARTBEAT_SECONDS


def test_a_lost_acknowledgement_is_sent_again_when_the_node_repeats_itself() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(start(node, asker), 0.0)
    now = 0.0
    for position in range(MAX_UNACKNOWLEDGED + 20):
        now += 0.05
        asker.deliver(list(node.machine.push(asker.request_id, tokens(position), now)), now)
        asker.receiver.acknowledge(now)  # lost, every one
    assert node.machine.paused(asker.request_id)
    for _ in range(100):
        now += 0.05
        asker.deliver(list(node.machine.tick(now)), now)
        acknowledgement = asker.receiver.acknowledge(now)
        if acknowledgement is not None:
            node.machine.receive(proxy(0), bytes(16), acknowledgement, now, asker.outgoing.request.sealed_at)
    assert not node.machine.paused(asker.request_id)


def test_nothing_follows_the_last_event() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(start(node, asker), 0.0)
    execution = node.machine._executions[asker.request_id]
    hostile = execution.sender._make_frame((tokens(0), FINISHED, tokens(1), FINISHED))
    hostile += execution.sender._make_frame((tokens(2), Stage("decode", 0, 0.0)))
    assert asker.deliver(list(hostile), 1.0) == [tokens(0), FINISHED]


def test_shares_without_whole_frames_are_no_progress() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver([*start(node, asker), *node.machine.tick(0.041)], 0.0)
    for step in range(1, 50):
        now = step * 0.15
        asker.deliver(list(node.machine.tick(now)), now, lose=frozenset({2, 3}))
    assert asker.receiver.heard_at is not None
    assert asker.receiver.heard_at > 5
    assert asker.receiver.progress_at == 0.0


def test_repeated_cloves_are_a_sign_of_life_but_no_progress() -> None:
    """Two paths dead without knowing it, two that work: the node is not silent, the other paths must be replaced."""
    node = Node()
    asker = Asker(node)
    asker.deliver([*start(node, asker), *node.machine.tick(0.041)], 0.0)
    effects = list(node.machine.push(asker.request_id, tokens(0), 1.0))
    for step in range(1, 50):
        asker.deliver(effects, float(step), lose=frozenset({2, 3}))
    assert asker.receiver.heard_at == 49.0
    assert asker.receiver.progress_at == 0.0


def test_shares_that_a_frame_does_not_need_are_not_opened_unless_they_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, genuine = [], Aead.open

    def spy(cipher: Aead, nonce: int, sealed: bytes, associated: bytes = b"") -> bytes:
        opened.append(nonce)
        return genuine(cipher, nonce, sealed, associated)

    node = Node()
    asker = Asker(node)
    asker.deliver([*start(node, asker), *node.machine.tick(0.041)], 0.0)
    asker.receiver.acknowledge(0.0)
    monkeypatch.setattr(Aead, "open", spy)
    effects = list(node.machine.push(asker.request_id, tokens(0), 1.0))
    assert asker.deliver(effects, 1.0) == [tokens(0)]
    cloves = 3
    assert len(opened) == cloves + 2, "and S-IDA's own seal, and the frame's"
    assert asker.receiver.acknowledge(2.0) is not None
    assert asker.receiver.acknowledge(3.0) is None, "the fourth says nothing of what the node knows"
    opened.clear()
    assert asker.deliver(effects, 4.0) == []
    assert len(opened) == 4
    assert asker.receiver.heard_at == 4.0
    assert asker.receiver.acknowledge(5.0) is not None, "the node repeats itself: it has not heard"


def test_what_is_known_of_spare_shares_is_bounded() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(start(node, asker), 0.0)
    now = 0.0
    for position in range(2 * FRAME_WINDOW):
        now += 0.05
        effects = list(node.machine.push(asker.request_id, tokens(position), now))
        asker.deliver(effects, now, lose=frozenset({position % 4}))
        said = asker.receiver.acknowledge(now, force=True)
        assert said is not None
        node.machine.receive(proxy(0), bytes(16), said, now, asker.outgoing.request.sealed_at)
    assert asker.receiver.frames >= 2 * FRAME_WINDOW
    assert len(asker.receiver._spare) == FRAME_WINDOW


def test_a_frame_never_exceeds_what_the_client_takes() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(start(node, asker), 0.0)
    checkpoint = Checkpoint(b"r" * 700, b"s" * 64)
    expected: list[object] = []
    effects: list[object] = []
    for position in range(100):  # at once, so that they pile up
        event = Tokens(position, (2**31 - 1,) * 40, "\N{CRAB}" * 400 if position % 10 else "\N{CRAB}" * MAX_FRAME_TEXT)
        expected += [event, checkpoint]
        effects += node.machine.push(asker.request_id, event, 0.01)
        effects += node.machine.push(asker.request_id, checkpoint, 0.01)
    events = asker.deliver(effects + list(node.machine.tick(1.0)), 1.0)
    assert "".join(event.text for event in events if isinstance(event, Tokens)) == "".join(
        event.text for event in expected if isinstance(event, Tokens)
    )
    assert events.count(checkpoint) == 100


def test_a_full_node_says_so_at_once() -> None:
    node = Node()
    for seed in range(MAX_EXECUTIONS):
        other = Asker(node, random_bytes=seeded(100 + seed))
        start(node, other)
    assert len(node.machine.running()) == MAX_EXECUTIONS
    asker = Asker(node)
    effects = start(node, asker)
    assert not [effect for effect in effects if isinstance(effect, ExecutionStarted)]
    (event,) = asker.deliver(effects, 1.0)
    assert isinstance(event, Failed)
    assert event.code == "overloaded"
    assert len(node.machine.running()) == MAX_EXECUTIONS


def test_unfinished_requests_of_strangers_take_a_bounded_share_of_memory() -> None:
    node = Node()
    key = node.target.clove_key
    info = keys.clove_info(NETWORK, node.target.node_id)
    for number in range(100):
        for index in range(15):
            clove = RequestClove(number.to_bytes(16, "big"), index, 16, 16, bytes(58_000))
            sealed = encode(SealedClove(1, seal(1, key, encode(clove), info)))
            node.machine.receive(proxy(index), bytes(16), sealed, 0.0, WALL)
    held = sum(len(share) for one in node.machine._assembler._assemblies.values() for share in one.shares.values())
    assert held <= MAX_ASSEMBLED_BYTES + 16 * 58_000
    asker = Asker(node)
    assert [effect for effect in start(node, asker) if isinstance(effect, ExecutionStarted)]


def test_what_was_sealed_ahead_of_the_clock_is_not_answered_again_after_a_restart() -> None:
    """It is younger than the node's next start. Answered twice, it would be signed twice: a contradiction."""
    kept: list[tuple[float, bytes]] = []
    first = Node(started=WALL - 10, admission=Admission(WALL - 10, keep=lambda one, sealed: kept.append((sealed, one))))
    asker = Asker(first, wall=WALL + 119)

    def started(node: Node, wall: float) -> bool:
        effects: list[object] = []
        for index in range(4):
            clove = asker.outgoing.clove(index)
            effects += node.machine.receive(proxy(index), bytes([index]) * 16, clove, 0.0, wall)
        return any(isinstance(effect, ExecutionStarted) for effect in effects)

    assert started(first, WALL)
    assert kept == [(WALL + 119, asker.request_id)]
    again = Node(started=WALL + 60, admission=Admission(WALL + 60, kept), keys=first.keys)
    assert not started(again, WALL + 60)
    unknowing = Node(started=WALL + 60, keys=first.keys)
    assert started(unknowing, WALL + 60)  # so it is the list alone that keeps it out
