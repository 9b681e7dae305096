"""Forged and corrupt cloves, and every kind of dropping, over seeds: while k good ones arrive the answer is right.

Two paths are touched at most, or all of them for a while; what a machine sends is changed, never what it holds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.crypto.sealing import seal
from engine.crypto.symmetric import aead_seal
from engine.errors import NetworkNotReadyError
from engine.ids import NodeId
from engine.paths import keys
from engine.paths.answer_sender import AnswerSender, CloveOut, ReturnPath
from engine.paths.serving import LINGER_SECONDS
from engine.transport.link import Channel
from engine.wire.answer import (
    AnswerClove,
    Attach,
    ControlClove,
    RequestClove,
    SealedClove,
    answer_clove_decoder,
    delivery_decoder,
)
from engine.wire.codec import encode
from engine.wire.link import Credit, DeliverClove, DestroyCircuit, ReturnClove, link_decoder
from tests.support.hostile import Hostile, flipped
from tests.support.overlay import NETWORK, Collected, Member, Overlay

CLIENT = NodeId(b"client".ljust(20, b"."))
WORDS = 60
Forge = Callable[[bytes, list[bytes], random.Random], list[bytes]]


def asked(seed: int, **more: Any) -> tuple[Overlay, Collected]:
    """A network whose client has just got the first words of an answer."""
    overlay = Overlay(relays=20, words=WORDS, seed=seed, **more)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 3, 10)
    return overlay, answer


def right(overlay: Overlay, answer: Collected, limit: float = 60.0) -> float:
    """Wait for the whole answer, compare it, and give how long that took."""
    took = overlay.until(lambda: answer.finished or answer.error is not None, limit)
    assert answer.error is None
    assert answer.ids == list(range(WORDS))
    assert answer.text == "".join(f"w{index} " for index in range(WORDS))
    return took


# ------------------------------------------------------------------------------------------------------------- forging


def another_number(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    message = answer_clove_decoder.decode(clove)
    number = (message.number + source.randint(-3, 3)) & 0xFFFF_FFFF
    return [encode(msgspec.structs.replace(message, number=number)), clove]


def another_index(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    message = answer_clove_decoder.decode(clove)
    return [encode(msgspec.structs.replace(message, index=index)) for index in range(4)]


def another_content(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    """Everything right but what counts; the true one is kept back."""
    message = answer_clove_decoder.decode(clove)
    return [encode(msgspec.structs.replace(message, sealed=source.randbytes(len(message.sealed))))]


def one_bit(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    return [flipped(clove, source)]


def another_announcement(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    message = answer_clove_decoder.decode(clove)
    salt, announcement = source.randbytes(16), source.randbytes(max(64, len(message.announcement)))
    return [encode(msgspec.structs.replace(message, salt=salt, announcement=announcement)), clove]


def old_ones(clove: bytes, past: list[bytes], source: random.Random) -> list[bytes]:
    """Those of other frames in its place, and it much later."""
    return [source.choice(past), past[0]] if len(past) > 10 else [clove]


def by_the_dozen(clove: bytes, _past: list[bytes], source: random.Random) -> list[bytes]:
    message = answer_clove_decoder.decode(clove)
    numbers = [source.randrange(1 << 32) for _ in range(10)]
    return [encode(msgspec.structs.replace(message, number=number)) for number in numbers] + [clove]


def empty(_clove: bytes, _past: list[bytes], _source: random.Random) -> list[bytes]:
    return [b"", encode(AnswerClove(salt=b"", announcement=b"", number=0, index=0, sealed=b""))]


FORGERIES: list[Forge] = [
    another_number,
    another_index,
    another_content,
    one_bit,
    another_announcement,
    old_ones,
    by_the_dozen,
    empty,
]


class Forger:
    """A proxy that gives its client other answer cloves than it gets."""

    def __init__(self, proxy: Member, forge: Forge, source: random.Random) -> None:
        self._forge, self._source = forge, source
        self._past: list[bytes] = []
        self.forged = 0
        self._relay = proxy.peer.relay
        self._receive = self._relay.receive_message
        self._relay.receive_message = self._forging  # type: ignore[method-assign]

    def _forging(self, peer: NodeId, message: Any, now: float, wall: float) -> Any:
        if not isinstance(message, ReturnClove):
            return self._receive(peer, message, now, wall)
        self._past.append(message.clove)
        effects: list[Any] = []
        for clove in self._forge(message.clove, self._past, self._source):
            self.forged += clove != message.clove
            effects += self._receive(peer, ReturnClove(message.handle, clove), now, wall)
        return effects


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_forged_answer_cloves_of_a_proxy_change_nothing(forge: Forge) -> None:
    for seed in range(6):
        overlay, answer = asked(seed)
        forger = Forger(overlay.by_id(answer.paths[seed % 4][-1]), forge, random.Random(seed))
        assert right(overlay, answer) < 20
        assert forger.forged > 10


def test_two_forgers_leave_too_little_and_the_client_says_so() -> None:
    overlay, answer = asked(1)
    for path in answer.paths[:2]:
        Forger(overlay.by_id(path[-1]), another_content, random.Random(1))
    overlay.until(lambda: answer.finished or answer.error is not None, 60)
    assert answer.ids == list(range(len(answer.ids)))
    assert answer.finished or isinstance(answer.error, NetworkNotReadyError)


@pytest.mark.parametrize("index", range(4))
def test_shares_wrong_inside_their_seals_are_worked_around(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at the serving side who holds the keys of one path: everything about its cloves is genuine."""
    source, made, wrong = random.Random(index), AnswerSender._clove, 0

    def clove(sender: AnswerSender, path: ReturnPath, number: int, share: int, data: bytes) -> CloveOut:
        nonlocal wrong
        wrong += share == index
        return made(sender, path, number, share, flipped(data, source) if share == index else data)

    for seed in range(4):
        overlay, answer = asked(seed)
        monkeypatch.setattr(AnswerSender, "_clove", clove)
        assert right(overlay, answer) < 20
        monkeypatch.undo()
    assert wrong > 40


def test_somebody_beside_the_serving_node_cannot_slip_cloves_in() -> None:
    """Relays that know every handle, as if they had seen them on the links."""
    for seed in range(4):
        overlay, answer = asked(seed)
        source = random.Random(seed)
        node = overlay.models[0]
        handles = [(proxy, handle) for proxy, handle in node.peer.serving._handles]
        paths = answer.paths
        on_paths = {hop for path in paths for hop in path}
        strangers = [relay for relay in overlay.relays if relay.node_id not in on_paths][:3]
        while not answer.finished:
            for stranger in strangers:
                for proxy, handle in handles:
                    false = AnswerClove(b"", b"", source.randrange(1 << 32), source.randrange(4), source.randbytes(300))
                    stranger.endpoint.send(proxy, Channel.CONTROL, encode(ReturnClove(handle, encode(false))))
                    control = ControlClove(source.randbytes(12), source.randbytes(60))
                    stranger.endpoint.send(node.node_id, Channel.CONTROL, encode(DeliverClove(handle, encode(control))))
            overlay.advance(0.1)
        assert answer.ids == list(range(WORDS))
        assert answer.paths == paths


def test_cloves_that_a_proxy_makes_for_the_model_node_have_no_effect() -> None:
    """It knows the node's public keys and can seal anything: request cloves, attachments, control messages."""
    for seed in range(4):
        overlay = Overlay(relays=20, words=WORDS, seed=seed)
        overlay.until(overlay.ready, 10)
        spare = overlay.client.machine.paths.upcoming(b"chat")
        assert spare is not None
        node, proxy = overlay.models[0], overlay.by_id(spare.slots[seed % 4].hops[-1])
        source = random.Random(seed)
        public = node.seal[0].public
        info = keys.clove_info(NETWORK, node.node_id)

        def sealed(content: Any, public: bytes = public, info: bytes = info) -> bytes:
            return encode(SealedClove(1, seal(1, public, encode(content), info)))

        def alter(
            peer: NodeId, channel: Channel, data: bytes, node: Member = node, source: random.Random = source
        ) -> list[bytes]:
            if channel is not Channel.CONTROL or peer != node.node_id:
                return [data]
            message = link_decoder.decode(data)
            if not isinstance(message, DeliverClove):
                return [data]
            replayed = DeliverClove(source.randbytes(16), message.clove)  # under an address of the proxy's own
            request = RequestClove(source.randbytes(16), source.randrange(4), 4, 3, source.randbytes(500))
            attach = Attach(source.randbytes(16), source.randrange(4), 1 << 40, source.randbytes(60))
            control = ControlClove(source.randbytes(12), aead_seal(source.randbytes(32), 1, b"cancel"))
            own = [sealed(request), sealed(attach), encode(control), flipped(message.clove, source)]
            forged = [encode(DeliverClove(message.handle, clove)) for clove in own]
            return [encode(replayed), *forged, data]

        hostile = Hostile(proxy, alter)
        answer = overlay.ask()
        assert right(overlay, answer) < 20
        assert hostile.altered > 3
        assert not node.cancelled
        assert len(node.peer.serving._admission._requests) == 1, "one request was made, and no other"
        overlay.advance(40)
        assert not node.peer.serving._assembler._assemblies
        assert not node.peer.serving._executions


# ------------------------------------------------------------------------------------------------------------ dropping


def _is(data: bytes, kind: type) -> bool:
    return isinstance(link_decoder.decode(data), kind)


class Dropper:
    """A relay that lets some of what it sends fall; ``what`` says what."""

    def __init__(self, overlay: Overlay, path: tuple[NodeId, ...], position: int, what: str, seed: int) -> None:
        member = overlay.by_id(path[position])
        before = (CLIENT, *path)[position]
        source = random.Random(seed)
        count = 0

        def falls(peer: NodeId, channel: Channel, data: bytes) -> bool:
            nonlocal count
            if channel is Channel.CONTROL:
                return (what == "credits" and _is(data, Credit)) or (what == "goodbyes" and _is(data, DestroyCircuit))
            count += 1
            return {
                "all": True,
                "half": source.random() < 0.5,
                "one in twenty": count % 20 == 0,
                "forward": peer != before,
                "backward": peer == before,
                "later": count > 60,
            }.get(what, False)

        self.hostile = Hostile(member, lambda *sent: [] if falls(*sent) else [sent[2]])


DROPPED = ["all", "half", "one in twenty", "forward", "backward", "later", "credits", "goodbyes"]


@pytest.mark.parametrize("what", DROPPED)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_whatever_one_path_drops_the_answer_is_whole(position: int, what: str) -> None:
    for seed in range(3):
        overlay, answer = asked(seed)
        dropper = Dropper(overlay, answer.paths[seed % 4], position, what, seed)
        assert right(overlay, answer) < 30
        if what in ("all", "half", "backward") or (what == "forward" and position < 2):  # others may meet nothing
            assert dropper.hostile.altered


@pytest.mark.parametrize("what", ["to the node", "to the client", "acknowledgements", "every third"])
def test_whatever_one_proxy_keeps_back_the_answer_is_whole(what: str) -> None:
    """A proxy sees which way a clove goes, and tells control messages by their length; it drops no cells."""
    for seed in range(4):
        overlay = Overlay(relays=20, words=WORDS, seed=seed)
        overlay.until(overlay.ready, 10)
        spare = overlay.client.machine.paths.upcoming(b"chat")
        assert spare is not None
        proxy = overlay.by_id(spare.slots[seed % 4].hops[-1])
        kept_back = 0
        forward, backward = proxy.peer.relay._proxy._dispatch, proxy.peer.relay._proxy.returned

        def falls(kind: str, clove: bytes) -> bool:
            nonlocal kept_back
            control = kind == "to the node" and isinstance(delivery_decoder.decode(clove), ControlClove)
            fall = what == kind or (what == "acknowledgements" and control)
            fall = fall or (what == "every third" and len(clove) % 3 == 0)
            kept_back += fall
            return fall

        def dispatch(circuit: int, message: Any, forward: Any = forward) -> Any:
            return ([], None) if falls("to the node", message.clove) else forward(circuit, message)

        def returned(peer: NodeId, message: Any, backward: Any = backward) -> Any:
            found = backward(peer, message)
            # Kept back in the circuit's place for it: None would tell the node that the address is unknown.
            return (-1, found[1]) if found is not None and falls("to the client", message.clove) else found

        proxy.peer.relay._proxy._dispatch = dispatch  # type: ignore[method-assign]
        proxy.peer.relay._proxy.returned = returned  # type: ignore[method-assign]
        answer = overlay.ask()
        assert right(overlay, answer) < 30
        assert kept_back


@pytest.mark.parametrize("seed", range(4))
def test_an_answer_whose_acknowledgements_are_all_lost_for_a_while_ends_when_they_come_again(seed: int) -> None:
    overlay, answer = asked(seed)
    until = overlay.scheduler.now() + 6

    def alter(peer: NodeId, channel: Channel, data: bytes, node: NodeId = overlay.models[0].node_id) -> list[bytes]:
        lost = channel is Channel.CONTROL and peer == node and _is(data, DeliverClove)
        return [] if lost and overlay.scheduler.now() < until else [data]

    for path in answer.paths:
        Hostile(overlay.by_id(path[-1]), alter)
    right(overlay, answer)
    # And the node knows that it has ended, or that nobody asks for the rest any more.
    overlay.until(lambda: not overlay.models[0].peer.serving._executions, LINGER_SECONDS + 10)
    assert not overlay.models[0].cancelled
