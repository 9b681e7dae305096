"""An answer whose other side is hostile, or whose acknowledgements and replacements are lost."""

from __future__ import annotations

from engine.ids import NodeId
from engine.paths.answer_sender import HEARTBEAT_SECONDS, MAX_UNACKNOWLEDGED, AnswerSender, CloveOut
from engine.wire.answer import Finished, Stage, Tokens
from tests.support.answers import Asker, Node, proxy, seeded

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


def test_a_full_sender_goes_on_repeating_its_oldest_frame() -> None:
    sender, now = full_sender()
    sent: list[CloveOut] = []
    for _ in range(100):
        now += 0.05
        sent += sender.tick(now)
        assert sender.next_deadline() > now
    assert 4 * 20 < len(sent) < 4 * 40
    assert HEARTBEAT_SECONDS < 0.2


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
    asker.deliver(start(node, asker), 0.0)
    for step in range(1, 50):
        now = step * 0.15
        asker.deliver(list(node.machine.tick(now)), now, lose=frozenset({2, 3}))
    assert asker.receiver.last_frame_at is not None
    assert asker.receiver.last_frame_at > 5
    assert asker.receiver.progress_at == 0.0


def test_one_clove_again_and_again_is_no_sign_of_life() -> None:
    node = Node()
    asker = Asker(node)
    asker.deliver(start(node, asker), 0.0)
    effects = list(node.machine.push(asker.request_id, tokens(0), 1.0))
    for step in range(1, 50):
        asker.deliver(effects, float(step), lose=frozenset({1, 2, 3}))
    assert asker.receiver.last_frame_at == 1.0
