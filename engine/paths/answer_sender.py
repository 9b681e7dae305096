"""The node's side of one answer: events become frames, frames become cloves, unacknowledged frames are kept. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.crypto.sida import split
from engine.crypto.symmetric import Aead, aead_seal
from engine.ids import NodeId
from engine.paths import keys
from engine.wire.answer import (
    Acknowledge,
    Announcement,
    AnswerClove,
    Failed,
    Finished,
    Frame,
    FrameEvent,
    Stage,
    Tokens,
)
from engine.wire.codec import encode

COALESCE_SECONDS = 0.04
"""Least time between two frames after the first one with tokens. News without tokens waits as long for company: the
first token of a fast model takes it along, instead of meeting its cells at every relay."""
HEARTBEAT_SECONDS = 0.15
"""A frame leaves at least this often while the execution lives."""
RESEND_SECONDS = 0.4
"""After the end, unacknowledged frames go again this often."""
PATIENCE_SHARE = 1 / 16
"""Of the time that the oldest unacknowledged frame has waited: where it is more than the 40 ms the paths carry less
than is sent, and tokens wait so long for company. So an answer takes fewer, larger frames over relays at their limit,
instead of filling their queues. (On paths that work acknowledgements come within 0.25 s and a round trip.)"""
MAX_UNACKNOWLEDGED = 200
"""Frames kept for resending; beyond it the execution is paused until acknowledgements come,"""
MAX_WAITING_SECONDS = 8.0
"""and also when a frame has waited so long for its own."""
MAX_FRAME_TEXT = 2_500
"""Characters of one event; up to four bytes each."""
MAX_FRAME_EVENTS = 32
MAX_FRAME_BYTES = 12_000
"""Of the events that share a frame, so that none exceeds what a client decodes (``engine.wire.answer.MAX_FRAME``)."""


@dataclass(slots=True)
class ReturnPath:
    """Where the cloves of one path index go, and under which keys."""

    proxy: NodeId
    handle: bytes
    cipher: Aead
    offset: int
    salt: bytes
    announcement: bytes
    counter: int  # of the control message that attached it; older acknowledgements do not concern it
    announced: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class CloveOut:
    """Send ``clove`` (an encoded :class:`AnswerClove`) to ``proxy`` for ``handle``."""

    proxy: NodeId
    handle: bytes
    clove: bytes


@dataclass(slots=True)
class AnswerSender:
    """State of one execution's outgoing half. ``now`` is monotonic seconds."""

    answer_secret: bytes
    serving_node: NodeId
    attempt: int
    n: int
    k: int
    random_bytes: Callable[[int], bytes]
    opened: float
    coalesce: float = COALESCE_SECONDS
    frame_salt: bytes = b""
    control: Aead = field(init=False)  # opens what the client says to this execution
    _frames: Aead = field(init=False)
    _paths: dict[int, ReturnPath] = field(default_factory=dict)
    _shares: OrderedDict[int, list[bytes]] = field(default_factory=OrderedDict)
    _sent_at: OrderedDict[int, float] = field(default_factory=OrderedDict)  # of the same frames, for the first time
    _pending: deque[FrameEvent] = field(default_factory=deque)
    _stage: Stage = Stage(stage="queued", place=0, estimate=0.0)
    _next_number: int = 0
    _last_flush: float = 0.0
    _last_token_flush: float = -1e9
    _last_resend: float = -1e9
    _due: float = 0.0  # of what is pending
    _finished: bool = False

    def __post_init__(self) -> None:
        self.frame_salt = self.random_bytes(keys.SALT_LENGTH)
        self.control = Aead(keys.control_key(self.answer_secret, self.frame_salt))
        self._frames = Aead(keys.frame_key(self.answer_secret, self.frame_salt, self.serving_node, self.attempt))
        # The first sign of life waits as long as a stage would: the first token often comes sooner, and a frame of its
        # own, n cells over all hops, would take processor time just while that token is computed.
        self._last_flush = self.opened + COALESCE_SECONDS - HEARTBEAT_SECONDS

    # Paths

    def attach(self, index: int, proxy: NodeId, handle: bytes, clove_secret: bytes, counter: int = -1) -> None:
        """Use this return address for path ``index`` from now on; a fresh salt makes its keys new. ``counter`` is that
        of the control message that asked for it, -1 for the request's own cloves."""
        salt = self.random_bytes(keys.SALT_LENGTH)
        announcement_key = keys.announcement_key(clove_secret, salt)
        announcement = encode(
            Announcement(serving_node=self.serving_node, attempt=self.attempt, frame_salt=self.frame_salt)
        )
        self._paths[index] = ReturnPath(
            proxy=proxy,
            handle=handle,
            cipher=Aead(keys.clove_key(clove_secret, salt, self.serving_node, self.attempt)),
            offset=announcement_key.offset,
            salt=salt,
            announcement=aead_seal(announcement_key.key, 0, announcement),
            counter=counter,
        )

    def has_path(self, index: int) -> bool:
        """Whether path ``index`` has a return address."""
        return index in self._paths

    def handles(self) -> list[tuple[NodeId, bytes]]:
        """The return addresses in use."""
        return [(path.proxy, path.handle) for path in self._paths.values()]

    def live_paths(self) -> list[int]:
        """The paths whose return address still counts."""
        return [index for index, path in self._paths.items() if path.live]

    def address(self, index: int) -> tuple[NodeId, bytes] | None:
        """The return address of path ``index``, None without one that counts."""
        path = self._paths.get(index)
        return (path.proxy, path.handle) if path is not None and path.live else None

    def index_of(self, proxy: NodeId, handle: bytes) -> int | None:
        """Which path has this return address."""
        return next((i for i, path in self._paths.items() if (path.proxy, path.handle) == (proxy, handle)), None)

    def path_lost(self, proxy: NodeId, handle: bytes | None = None) -> list[int]:
        """The link to ``proxy`` is gone, or it released ``handle``: nothing more is sent there. Gives these paths."""
        lost = [i for i, path in self._paths.items() if path.proxy == proxy and handle in (None, path.handle)]
        for index in lost:
            self._paths[index].live = False
        return lost

    # Events in

    def push(self, event: FrameEvent, now: float) -> list[CloveOut]:
        """Queue one event; flushes at once when it is the first in a while, or the last."""
        if self._finished:
            return []
        if isinstance(event, Stage):
            self._stage = event
        interval = self._interval(now)
        due = (self._last_token_flush if isinstance(event, Tokens) else now) + interval
        self._due = min(self._due, due) if self._pending else due
        self._pending.append(event)
        if isinstance(event, Finished | Failed):
            self._finished = True
            return self._flush_all(now)
        if isinstance(event, Tokens) and not self._full and now - self._last_token_flush >= interval:
            return self._flush_all(now)
        return []

    @property
    def finished(self) -> bool:
        """The last event has been pushed."""
        return self._finished

    @property
    def done(self) -> bool:
        """Finished and everything acknowledged."""
        return self._finished and not self._shares and not self._pending

    @property
    def _full(self) -> bool:
        waited = self._last_flush - next(iter(self._sent_at.values()), self._last_flush)
        return len(self._shares) >= MAX_UNACKNOWLEDGED or waited >= MAX_WAITING_SECONDS

    @property
    def paused(self) -> bool:
        """Too much is unacknowledged: the maker of tokens should wait."""
        return self._full or len(self._pending) > 4 * MAX_FRAME_EVENTS

    # Time

    def _interval(self, now: float) -> float:
        """Least time between two frames with tokens."""
        patience = (now - next(iter(self._sent_at.values()), now)) * PATIENCE_SHARE
        return patience if patience > COALESCE_SECONDS else self.coalesce

    def _stretched(self, seconds: float, now: float) -> float:
        """``seconds``, or longer in the proportion in which tokens wait longer than usual, up to four times."""
        return seconds * min(4.0, max(1.0, self._interval(now) / COALESCE_SECONDS))

    def next_deadline(self) -> float:
        """When :meth:`tick` wants to be called next."""
        if self._finished:
            return self._last_resend + self._stretched(RESEND_SECONDS, self._last_resend)
        if self._pending and not self._full:
            return max(self._due, self._last_flush)
        return self._last_flush + self._stretched(HEARTBEAT_SECONDS, self._last_flush)

    def tick(self, now: float) -> list[CloveOut]:
        """Flush what is due; a heartbeat if nothing is; after the end resend what nobody acknowledged."""
        if self._finished:
            return self._resend_rest(now)
        if self._pending and not self._full and now >= self._due:
            return self._flush_all(now)
        if now >= self._last_flush + self._stretched(HEARTBEAT_SECONDS, self._last_flush):
            if self._full:  # repeat the oldest instead of growing; it makes the client acknowledge again
                self._last_flush = now
                return self._send_frames([next(iter(self._shares))])
            self._pending.append(self._stage)
            return self._flush_all(now)
        return []

    def _resend_rest(self, now: float) -> list[CloveOut]:
        if now < self._last_resend + self._stretched(RESEND_SECONDS, self._last_resend):
            return []
        self._last_resend = now
        return self._flush_all(now) + self._send_frames(list(self._shares)[:8])

    # Acknowledgements

    def acknowledge(self, message: Acknowledge, now: float) -> list[CloveOut]:
        """Forget what has arrived; send the missing frames again, lost paths' shares over live ones."""
        while self._shares and next(iter(self._shares)) < message.next_frame:
            self._shares.popitem(last=False)
            self._sent_at.popitem(last=False)
        for index, path in self._paths.items():
            if message.announced >> index & 1 and message.counter > path.counter:
                path.announced = True
        out = self._send_frames([number for number in message.missing if number in self._shares])
        if self._pending and not self._finished and not self._full:
            out += self.tick(now)
        return out

    def resend_all(self) -> list[CloveOut]:
        """The oldest unacknowledged frames again; a new path may be the one that was missing."""
        return self._send_frames(list(self._shares)[:16])

    # Frames and cloves out

    def _flush_all(self, now: float) -> list[CloveOut]:
        out: list[CloveOut] = []
        while self._pending and len(self._shares) < MAX_UNACKNOWLEDGED + (8 if self._finished else 0):
            events = self._take_events()
            if any(isinstance(event, Tokens) for event in events):
                self._last_token_flush = now
            self._sent_at[self._next_number] = now
            out += self._make_frame(events)
            self._last_flush = now
            self._last_resend = now
        return out

    def _take_events(self) -> tuple[FrameEvent, ...]:
        """The next frame's events: neighbouring token events are merged, up to the frame's limits."""
        taken: list[FrameEvent] = []
        size = 0
        while self._pending and len(taken) < MAX_FRAME_EVENTS:
            event = self._pending[0]
            size += len(encode(event))
            if taken and size > MAX_FRAME_BYTES:
                break
            self._pending.popleft()
            last = taken[-1] if taken else None
            if isinstance(event, Tokens) and isinstance(last, Tokens):
                taken[-1] = Tokens(
                    first=last.first,
                    ids=last.ids + event.ids,
                    text=last.text + event.text,
                    logprobs=last.logprobs + event.logprobs,
                )
            else:
                taken.append(event)
        return tuple(taken)

    def _make_frame(self, events: tuple[FrameEvent, ...]) -> list[CloveOut]:
        number = self._next_number
        self._next_number += 1
        sealed = self._frames.seal(number, encode(Frame(number=number, events=events)))
        self._shares[number] = split(sealed, self.n, self.k, self.random_bytes)
        return self._send_frames([number])

    def _send_frames(self, numbers: list[int]) -> list[CloveOut]:
        """Each share on its own path; a share whose path is gone travels on a live one beside that path's own."""
        live = [index for index, path in sorted(self._paths.items()) if path.live]
        if not live:
            return []
        out = []
        for number in numbers:
            for index, share in enumerate(self._shares[number]):
                carrier = index if index in live else live[(number + index) % len(live)]
                if carrier != index and len(live) >= self.k:
                    continue  # enough cloves arrive without this one
                out.append(self._clove(self._paths[carrier], number, index, share))
        return out

    def _clove(self, path: ReturnPath, number: int, index: int, share: bytes) -> CloveOut:
        clove = AnswerClove(
            salt=b"" if path.announced else path.salt,
            announcement=b"" if path.announced else path.announcement,
            number=(number + path.offset) & 0xFFFF_FFFF,
            index=index,
            sealed=path.cipher.seal(keys.clove_nonce(number, index), share),
        )
        return CloveOut(proxy=path.proxy, handle=path.handle, clove=encode(clove))
