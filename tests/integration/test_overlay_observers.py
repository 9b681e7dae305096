"""What each position of the overlay sees of a chat: every byte on every link, and all that a relay holds in memory.

A chat of several turns runs with resent cloves and a path replaced in the middle. Then no text, no node id and no
identifier may be seen where it should not be. "Identifier" is any run of bytes that two links show, 8 bytes or longer
and once on each, or 4 bytes or longer and at least twice on each; by chance that happens less than once in 10,000 runs
(at most 4 MB in 8-byte windows: 2^43 pairs against 2^64; per link at most 400 kB, so about 20 windows of 4 bytes are
repeated by chance, and 400 pairs of links share one of them with a chance of 4e-5). What the protocol document names is
left out: the signed head of the directory, the same for everybody, and small numbers (the kind and index of a clove).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy
import pytest

from engine.ids import NodeId
from engine.paths.cells import HEADER_LENGTH, TAG_LENGTH
from engine.transport.link import Channel
from engine.wire.answer import ControlClove, FrameEvent, SealedClove, Tokens, delivery_decoder
from engine.wire.codec import encode
from engine.wire.link import DeliverClove, DestroyCircuit, DirectoryHash, ReturnClove, link_decoder
from tests.support.hostile import Hostile
from tests.support.overlay import Collected, Member, Overlay

CLIENT = NodeId(b"client".ljust(20, b"."))
QUESTION = "where do the violet herons nest"
ANSWER = "below-the-quiet-mill"
Link = frozenset[NodeId]


class Capture:
    """Everything that every link carried, in both directions."""

    def __init__(self, overlay: Overlay) -> None:
        self.messages: dict[Link, list[tuple[Channel, bytes]]] = defaultdict(list)
        endpoints = [member.endpoint for member in overlay.members()]
        for endpoint in [*endpoints, overlay.internet.find(CLIENT)]:
            assert endpoint is not None
            endpoint.send = self._recording(endpoint.node_id, endpoint.send)  # type: ignore[method-assign, assignment]

    def _recording(
        self, sender: NodeId, send: Callable[[NodeId, Channel, bytes], bool]
    ) -> Callable[[NodeId, Channel, bytes], bool]:
        def recording(peer: NodeId, channel: Channel, data: bytes) -> bool:
            self.messages[frozenset((sender, peer))].append((channel, data))
            return send(peer, channel, data)

        return recording

    def raw(self, link: Link) -> bytes:
        return b"".join(data for _, data in self.messages[link])


def _leaves(value: Any) -> Iterator[bytes]:
    """The values of a message without its framing: bytes and text, numbers that could name something; clove within
    message."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value.encode()
    elif isinstance(value, int) and value >= 1 << 24:
        yield value.to_bytes((value.bit_length() + 7) // 8, "big")
    elif isinstance(value, bytes):
        try:
            inner = msgspec.msgpack.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            inner = None
        if isinstance(inner, list) and inner and isinstance(inner[0], int) and 70 <= inner[0] < 100:
            yield from _leaves(inner)
        else:
            yield value


def _windows(pieces: list[bytes], width: int) -> numpy.ndarray[Any, numpy.dtype[numpy.uint64]]:
    """All runs of ``width`` bytes (at most 8) within the pieces, as numbers, each once per piece."""
    found = [numpy.empty(0, numpy.uint64)]
    for piece in pieces:
        octets = numpy.frombuffer(piece, numpy.uint8).astype(numpy.uint64)
        if len(octets) < width:
            continue
        numbers = numpy.zeros(len(octets) - width + 1, numpy.uint64)
        for place in range(width):
            numbers = (numbers << numpy.uint64(8)) | octets[place : len(octets) - width + 1 + place]
        found.append(numpy.unique(numbers))
    return numpy.concatenate(found)


def shared_identifiers(capture: Capture) -> set[bytes]:
    """Runs of bytes that more than one link shows; see the module's first lines for what counts."""
    pieces = {
        link: [
            piece
            for channel, data in messages
            for piece in ([data] if channel is Channel.CELLS else _leaves(msgspec.msgpack.decode(data)))
            if channel is Channel.CELLS or not isinstance(link_decoder.decode(data), DirectoryHash)
        ]
        for link, messages in capture.messages.items()
    }
    found: set[bytes] = set()
    for width, least in ((8, 1), (4, 2)):
        on_links = []
        for own in pieces.values():
            numbers, counts = numpy.unique(_windows(own, width), return_counts=True)
            on_links.append(numbers[counts >= least])
        numbers, counts = numpy.unique(numpy.concatenate(on_links), return_counts=True)
        found |= {int(number).to_bytes(width, "big") for number in numbers[counts > 1]}
    return found


def within(what: bytes, memory: bytes) -> bool:
    return what in memory


def held(root: object) -> bytes:
    """All bytes and texts that an object reaches by attributes and containers, not through functions."""
    seen: set[int] = set()
    waiting, found = [root], []
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, type) or callable(value):
            continue
        seen.add(id(value))
        if isinstance(value, bytes | bytearray | str):
            found.append(value.encode() if isinstance(value, str) else bytes(value))
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif hasattr(value, "__iter__") and not isinstance(value, Iterator):
            waiting += list(value)
        waiting += list(getattr(value, "__dict__", {}).values())
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            names = [slots] if isinstance(slots, str) else slots
            waiting += [getattr(value, name) for name in names if hasattr(value, name)]
    return b"\0".join(found)


def _speaking(member: Member) -> None:
    """Its answers consist of words that nothing else contains."""
    push = member._push

    def speak(started: Any, event: FrameEvent) -> None:
        push(started, Tokens(event.first, event.ids, ANSWER + " ") if isinstance(event, Tokens) else event)

    member._push = speak  # type: ignore[method-assign]


def _chat(overlay: Overlay) -> list[Collected]:
    """Three turns; cloves of the first are resent, the second loses a middle relay, the third uses the new path."""
    for model in overlay.models:
        _speaking(model)
    turns: list[Collected] = []
    for turn in range(3):
        answer = overlay.ask(text=f"{QUESTION} ({turn})")
        turns.append(answer)
        overlay.until(lambda: len(answer.ids) > 10, 30)  # noqa: B023
        if turn == 1:
            overlay.kill(overlay.by_id(answer.paths[0][1]))
        overlay.until(lambda: answer.finished, 60)  # noqa: B023
    return turns


def _late_cloves(overlay: Overlay) -> None:
    """The proxies of the first turn forward nothing for 3 s, so that everything is sent again."""
    spare = overlay.client.machine.paths.upcoming(b"chat")
    assert spare is not None
    until = overlay.scheduler.now() + 3
    for slot in spare.slots[:2]:
        Hostile(
            overlay.by_id(slot.hops[-1]),
            lambda _peer, channel, data: (
                [] if channel is Channel.CONTROL and overlay.scheduler.now() < until else [data]
            ),
        )


def test_what_links_show_names_nobody_and_joins_nothing() -> None:
    overlay = Overlay(relays=20, words=240)
    capture = Capture(overlay)
    overlay.until(overlay.ready, 10)
    links = {member.node_id: member.endpoint.links() for member in overlay.members()}
    _late_cloves(overlay)
    turns = _chat(overlay)
    assert all(answer.text == (ANSWER + " ") * 240 for answer in turns)
    assert turns[0].paths != turns[2].paths, "a path was to be replaced"
    paths = [path for answer in turns for path in answer.paths]
    on_paths = {frozenset(pair) for path in paths for pair in itertools.pairwise((CLIENT, *path))}
    assert on_paths <= capture.messages.keys()

    assert shared_identifiers(capture) == set()
    names = [member.node_id for member in overlay.members()] + [CLIENT]
    for link in capture.messages:
        seen = capture.raw(link)
        assert QUESTION.encode() not in seen
        assert ANSWER.encode() not in seen
        assert not [name for name in names if within(name, seen)], "who is named on a link can be followed"
    for member in overlay.members():  # what the signaling server and introducers see of all that: nothing
        assert member.endpoint.links() <= links[member.node_id]


def test_proxies_that_compare_what_they_deliver_find_no_numbers() -> None:
    """Not even such as rise over the paths of one answer, or leave gaps on one path that another one fills."""
    overlay = Overlay(relays=20, words=240)
    capture = Capture(overlay)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: answer.finished, 30)
    model = overlay.models[0].node_id
    delivered = [
        delivery_decoder.decode(message.clove)
        for link, messages in capture.messages.items()
        for channel, data in messages
        if model in link and channel is Channel.CONTROL
        for message in [link_decoder.decode(data)]
        if isinstance(message, DeliverClove)
    ]
    controls = [clove for clove in delivered if isinstance(clove, ControlClove)]
    assert len(controls) > 20
    assert len({clove.nonce for clove in controls}) == len(controls)
    assert {type(clove).__struct_fields__ for clove in controls} == {("nonce", "sealed")}
    assert {clove.suite for clove in delivered if isinstance(clove, SealedClove)} == {1}


def test_what_relays_and_nodes_hold_is_no_more_than_the_threat_model_says() -> None:
    overlay = Overlay(relays=24, words=200)
    proxied: dict[NodeId, list[bytes]] = defaultdict(list)
    for relay in overlay.relays:
        _opened_by(relay, proxied[relay.node_id])
    overlay.until(overlay.ready, 10)
    _speaking(overlay.models[0])
    answer = overlay.ask(text=QUESTION)
    overlay.until(lambda: len(answer.ids) > 10, 10)
    model = overlay.models[0]
    guards = overlay.client.guards  # linked with the client, whoever uses them as middle or proxy
    assert sum(hop not in guards for path in answer.paths for hop in path[1:]) >= 4
    for path in answer.paths:
        guard, middle, proxy = (held(overlay.by_id(hop).peer.relay) for hop in path)
        for memory in (guard, middle, proxy, b"".join(proxied[path[2]])):
            assert QUESTION.encode() not in memory
            assert ANSWER.encode() not in memory
        assert within(CLIENT, guard)
        further = {path[1]: middle, path[2]: proxy + b"".join(proxied[path[2]])}
        assert not [hop for hop, memory in further.items() if hop not in guards and within(CLIENT, memory)]
        assert within(model.node_id, b"".join(proxied[path[2]])), "the proxy knows whom it delivers to"
        assert not within(model.node_id, b"".join(proxied[path[0]] + proxied[path[1]]))
    serving = held(model.peer.serving)
    assert not within(CLIENT, serving)
    proxies = {path[2] for path in answer.paths}
    behind = {hop for path in answer.paths for hop in path} - proxies
    assert all(within(proxy, serving) for proxy in proxies)
    assert not [hop for hop in behind if within(hop, serving)]


def _opened_by(relay: Member, into: list[bytes]) -> None:
    """What this relay reads when it is the last of a path."""
    read = relay.peer.relay._proxy.from_circuit

    def reading(circuit: int, message: Any) -> Any:
        into.append(encode(message))
        return read(circuit, message)

    relay.peer.relay._proxy.from_circuit = reading  # type: ignore[method-assign]


@pytest.mark.parametrize("leak", ["mark in every cell", "one circuit id", "one word"])
def test_the_inspection_finds_a_planted_leak(leak: str) -> None:
    overlay = Overlay(relays=16, words=30)
    capture = Capture(overlay)
    overlay.until(overlay.ready, 10)
    for model in overlay.models:
        _speaking(model)
    guard_id = overlay.client.guards[0]
    guard = overlay.by_id(guard_id)
    from_client = [
        data for channel, data in capture.messages[frozenset((CLIENT, guard_id))] if channel is Channel.CONTROL
    ]
    circuit_id = next(message.circuit_id for message in map(link_decoder.decode, from_client))
    mark = circuit_id[:4]
    filler = HEADER_LENGTH + 2 * TAG_LENGTH
    if leak == "mark in every cell":  # where a relay may write what it likes; the answer is none the worse

        def alter(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
            if channel is Channel.CELLS and peer != CLIENT:
                return [data[:filler] + mark + data[filler + 4 :]]
            return [data]

        Hostile(guard, alter)
    answer = overlay.ask(text=QUESTION)
    overlay.until(lambda: answer.finished, 20)
    if leak == "one circuit id":
        stranger = next(one for one in guard.endpoint.links() if one != CLIENT)
        guard.endpoint.send(stranger, Channel.CONTROL, encode(DestroyCircuit(circuit_id)))
        assert circuit_id in shared_identifiers(capture)
    elif leak == "mark in every cell":
        assert mark in shared_identifiers(capture)
    else:
        proxy = answer.paths[0][-1]
        overlay.models[0].endpoint.send(proxy, Channel.CONTROL, encode(ReturnClove(bytes(16), ANSWER.encode())))
        assert any(ANSWER.encode() in capture.raw(link) for link in list(capture.messages))
