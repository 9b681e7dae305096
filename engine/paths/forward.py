"""A request on its way from the entry node to the member that shall serve it: both ends of it. Pure.

The entry node is to the serving node what a proxy is: it hands cloves over and carries answers back, under return
addresses of its own (docs/protocol.md, "Forwarding").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.crypto.sealing import seal
from engine.errors import WireError
from engine.ids import NetworkId, NodeId, RequestId
from engine.paths import keys
from engine.paths.effects import Lane, Send
from engine.paths.outgoing import Target
from engine.wire import PROTOCOL_VERSION, SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.answer import (
    AnswerClove,
    Attach,
    Finished,
    FrameEvent,
    RequestClove,
    SealedClove,
    Tokens,
    answer_clove_decoder,
)
from engine.wire.codec import Message, encode
from engine.wire.forward import Forward, ForwardBegun, ForwardedRequest, ForwardEnd, ForwardServed
from engine.wire.link import DeliverClove, ReleaseHandle

FORWARD_SECONDS = 1.0
"""So long may a member take to say whether it serves a request; then the entry node takes the request back."""
FIRST_CLOVE_SECONDS = 2.0
"""The same from there to its first clove, which leaves within 40 ms whatever the model does."""
PART_BYTES = 60_000
PARTS_SECONDS = 5.0
"""Between the first and the last part of a request."""
MAX_UNFINISHED = 4
"""Requests of one member whose parts are not complete,"""
MAX_ALL_UNFINISHED = 64
"""and of all members."""
FORWARDS_PER_SECOND = 20.0
"""Requests that one member may pass on, on average,"""
FORWARD_BURST = 40.0
"""and at once."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back of a forward. ``last``: when its last new frame came, None without any; ``output_tokens``: as the
    serving node says, within what can be; None where it has not said that the answer is complete."""

    last: float | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class ForwardOver:
    """Nothing more comes of a request that was passed on. ``returned`` None: it was refused, taken back or lost;
    ``refused``: the member has not taken it, with or without a word."""

    request_id: RequestId
    returned: Returned | None
    refused: bool = False


@dataclass(slots=True)
class _Frames:
    """What an entry node sees of an answer that it does not open: numbers that rise by frame, and bytes."""

    last: float | None = None
    size: int = 0
    newest: dict[int, int] = field(default_factory=dict)  # of each path, with an offset that only the client knows

    def add(self, index: int, clove: bytes, now: float) -> None:
        """A clove of path ``index``; what was sent before is not counted again."""
        try:
            message: AnswerClove = answer_clove_decoder.decode(clove)
        except WireError:  # the client drops it
            return
        newest = self.newest.get(index, message.number - 1)
        if 0 < (message.number - newest) & 0xFFFF_FFFF < 1 << 31:
            self.newest[index], self.last = message.number, now
            self.size += len(message.sealed)


@dataclass(slots=True)
class OutgoingForward:
    """One request that this node has passed on. ``handles``: this node's return address of each path; ``accepted``: the
    member has said that it takes it, ``answered``: a clove of it has come, so that it cannot be taken back."""

    forward_id: bytes
    target: Target
    network_id: NetworkId
    entry: NodeId
    message_id: bytes
    n: int
    k: int
    due: float
    random_bytes: Callable[[int], bytes]
    max_tokens: int
    uncached_tokens: int = 0
    accepted: bool = False
    answered: bool = False
    begun: bool = False
    served: ForwardServed | None = None
    frames: _Frames = field(default_factory=_Frames)
    handles: dict[int, bytes] = field(default_factory=dict)

    def request(self, encoded: bytes, paths: list[int]) -> list[Send]:
        """The request in as many messages as it takes. Raises ``SealError`` for keys that cannot be used."""
        self.handles = {index: self.random_bytes(16) for index in paths}
        record = ForwardedRequest(
            PROTOCOL_VERSION, self.message_id, encoded, tuple(self.handles.items()), self.uncached_tokens
        )
        info = keys.forward_info(self.network_id, self.entry, self.target.node_id)
        sealed = seal(SUITE_HPKE_MLKEM768_X25519, self.target.request_key, encode(record), info)
        parts = [sealed[start : start + PART_BYTES] for start in range(0, len(sealed), PART_BYTES)]
        return [self._send(Forward(self.forward_id, index, len(parts), part)) for index, part in enumerate(parts)]

    def path(self, index: int) -> list[Send]:
        """One more path has arrived: the serving node gets a clove of it, whose share it does not need."""
        return self._over(index, RequestClove(self.message_id, index, self.n, self.k, b""))

    def attach(self, message: Attach) -> list[Send]:
        """`Replace proxy i by j`, as the client sealed it."""
        return self._over(message.index, message)

    def _over(self, index: int, content: RequestClove | Attach) -> list[Send]:
        """Hand over a sealed clove under a fresh return address of path ``index``."""
        self.handles[index] = handle = self.random_bytes(16)
        self.frames.newest.pop(index, None)  # another path has another offset
        info = keys.clove_info(self.network_id, self.target.node_id)
        sealed = seal(SUITE_HPKE_X25519, self.target.clove_key, encode(content), info)
        return [self._send(DeliverClove(handle, encode(SealedClove(SUITE_HPKE_X25519, sealed))))]

    def control(self, index: int, clove: bytes) -> list[Send]:
        """A control message of the client, which only the serving node can open."""
        handle = self.handles.get(index)
        return [] if handle is None else [self._send(DeliverClove(handle, clove))]

    def release(self, index: int) -> list[Send]:
        """Path ``index`` is gone on this side."""
        handle = self.handles.pop(index, None)
        return [] if handle is None else [self._send(ReleaseHandle(handle))]

    def end(self) -> list[Send]:
        """The serving node shall stop."""
        return [self._send(ForwardEnd(self.forward_id))]

    def path_of(self, handle: bytes) -> int | None:
        """Which path has this return address."""
        return next((index for index, known in self.handles.items() if known == handle), None)

    def returned(self) -> Returned:
        """What has come back. A claim of more tokens than were asked for, or than bytes have come, counts as that."""
        if self.served is None:
            return Returned(self.frames.last, None)
        return Returned(self.frames.last, min(self.served.output_tokens, self.max_tokens, self.frames.size))

    def _send(self, message: Message) -> Send:
        return Send(self.target.node_id, Lane.CONTROL, encode(message))


def said_to_entry_node(entry: NodeId, forward_id: bytes, event: FrameEvent, begun: bool) -> list[Send]:
    """The entry node, which does not open the answer, hears when it begins (unless it has ``begun``) and when it is
    complete."""
    message: ForwardBegun | ForwardServed
    if isinstance(event, Tokens) and event.ids and not begun:
        message = ForwardBegun(forward_id)
    elif isinstance(event, Finished):
        message = ForwardServed(forward_id, event.cached_tokens, event.completion_tokens)
    else:
        return []
    return [Send(entry, Lane.CONTROL, encode(message))]


@dataclass(slots=True)
class _Unfinished:
    started: float
    count: int
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Allowance:
    """A member's token bucket."""

    left: float = FORWARD_BURST
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.left = min(FORWARD_BURST, self.left + (now - self.at) * FORWARDS_PER_SECOND)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class IncomingForwards:
    """Parts of requests that members pass on to this node, within each member's bounds."""

    def __init__(self) -> None:
        self._unfinished: dict[tuple[NodeId, bytes], _Unfinished] = {}
        self._allowances: dict[NodeId, _Allowance] = {}

    def add(self, peer: NodeId, part: Forward, now: float) -> bytes | None:
        """The sealed request once it is complete. Raises ``WireError`` for parts that contradict each other, and for
        what is beyond the member's allowance."""
        self._forget(now)
        key = (peer, part.forward)
        unfinished = self._unfinished.get(key)
        if unfinished is None:
            of_peer = sum(known[0] == peer for known in self._unfinished)
            if of_peer >= MAX_UNFINISHED or len(self._unfinished) >= MAX_ALL_UNFINISHED:
                raise WireError("too many unfinished requests are being passed on")
            if not self._allowances.setdefault(peer, _Allowance(at=now)).take(now):
                raise WireError("more requests are passed on than one member may")
            unfinished = self._unfinished[key] = _Unfinished(now, part.count)
        if unfinished.count != part.count or part.index >= part.count or part.index in unfinished.parts:
            del self._unfinished[key]
            raise WireError("parts of a request that contradict each other")
        unfinished.parts[part.index] = part.data
        if len(unfinished.parts) < unfinished.count:
            return None
        del self._unfinished[key]
        return b"".join(unfinished.parts[index] for index in range(unfinished.count))

    def link_down(self, peer: NodeId) -> None:
        """What a member has begun to say it does not complete any more."""
        for key in [known for known in self._unfinished if known[0] == peer]:
            del self._unfinished[key]

    def _forget(self, now: float) -> None:
        for key in [known for known, one in self._unfinished.items() if now > one.started + PARTS_SECONDS]:
            del self._unfinished[key]
        full = [peer for peer, one in self._allowances.items() if now > one.at + FORWARD_BURST / FORWARDS_PER_SECOND]
        for peer in full:
            del self._allowances[peer]
