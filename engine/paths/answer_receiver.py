"""The client's side of one answer: cloves become frames, frames become events in order, and what is missing is asked
for. Pure; nothing that does not authenticate has any effect."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from engine.crypto.sida import join
from engine.crypto.symmetric import NONCE_LENGTH, Aead, aead_open, aead_seal
from engine.errors import CryptoError, WireError
from engine.ids import NodeId, RequestId
from engine.paths import keys
from engine.wire.answer import (
    Acknowledge,
    Announcement,
    AnswerClove,
    Attach,
    Attachment,
    Cancel,
    ControlClove,
    Failed,
    Finished,
    FrameEvent,
    announcement_decoder,
    answer_clove_decoder,
    frame_decoder,
)
from engine.wire.codec import encode

ACKNOWLEDGE_SECONDS = 0.25
"""Acknowledgements are at most this far apart while frames arrive."""
MISSING_SECONDS = 0.2
"""A frame behind a later one is asked for again after this long."""
FRAME_WINDOW = 256
"""Frames ahead of the next one that are kept; what is beyond is dropped."""


@dataclass(slots=True)
class _PathKeys:
    """Keys of one path index: candidates until its announcement is read (two after a replacement), one after it."""

    secrets: list[bytes]
    cipher: Aead | None = None
    offset: int = 0

    @property
    def announced(self) -> bool:
        return self.cipher is not None


@dataclass(slots=True)
class _PartialFrame:
    """Shares of a frame that is not complete."""

    first_seen: float
    shares: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class AnswerReceiver:
    """State of one answer's incoming half. ``now`` is monotonic seconds."""

    request_id: RequestId
    answer_secret: bytes
    clove_secrets: tuple[bytes, ...]
    n: int
    k: int
    random_bytes: Callable[[int], bytes]
    serving_node: NodeId | None = None
    attempt: int = 0
    may_serve: Callable[[NodeId], bool] | None = None  # None: ``serving_node`` alone (anybody, if that is None, too)
    heard_at: float | None = None  # the last genuine clove, even a repeated one: the node lives
    progress_at: float | None = None  # when the last frame became whole and in order; cloves alone are no progress
    frames: int = 0
    _paths: dict[int, _PathKeys] = field(default_factory=dict)
    strangers: int = 0  # cloves of machines that may not answer this
    _execution: Announcement | None = None
    _frames: Aead | None = None  # these two with the execution
    _controls: Aead | None = None
    _counter: int = 0
    _next: int = 0
    _highest: int = -1
    _partial: dict[int, _PartialFrame] = field(default_factory=dict)
    _ready: dict[int, tuple[FrameEvent, ...]] = field(default_factory=dict)
    _spare: dict[int, int] = field(default_factory=dict)  # by frame: bit i, share i had not come when it was whole
    _acknowledged: int = -1
    _acknowledged_at: float = -1e9
    _repeat: bool = False  # the node sends what has arrived: an acknowledgement may have been lost
    _asked: dict[int, float] = field(default_factory=dict)
    _ended: bool = False

    def __post_init__(self) -> None:
        self._paths = {index: _PathKeys([secret]) for index, secret in enumerate(self.clove_secrets)}

    # Cloves in

    def receive(self, path_index: int, data: bytes, now: float) -> list[FrameEvent]:
        """One answer clove that came over path ``path_index``; gives the events that are now in order."""
        try:
            clove = answer_clove_decoder.decode(data)
            path = self._paths[path_index]
            cipher = path.cipher or self._read_announcement(path, clove)
            if cipher is None or clove.index >= self.n:
                return []
            number = (clove.number - path.offset) & 0xFFFF_FFFF
            if self._is_spare(number, clove.index):
                return []
            share = cipher.open(keys.clove_nonce(number, clove.index), clove.sealed)
        except (WireError, CryptoError):
            return []
        self.heard_at = now
        return self._share(number, clove.index, share, now)

    def _is_spare(self, number: int, index: int) -> bool:
        """Whether this share is of a frame that k others have made whole: it is not opened, and tells nothing. One that
        comes again is opened, as it says that the node repeats itself."""
        left = self._spare.get(number, 0)
        if not left >> index & 1:
            return False
        left ^= 1 << index
        if left:
            self._spare[number] = left
        else:
            del self._spare[number]
        return True

    def _keep_spare(self, number: int, came: Collection[int]) -> None:
        left = (1 << self.n) - 1 - sum(1 << index for index in came)
        if left:
            self._spare[number] = left
        if len(self._spare) > FRAME_WINDOW:
            del self._spare[next(iter(self._spare))]

    def _read_announcement(self, path: _PathKeys, clove: AnswerClove) -> Aead | None:
        """Find out which execution this path carries; None: not yet. All paths must agree."""
        for secret in path.secrets if clove.salt else []:
            opener = keys.announcement_key(secret, clove.salt)
            try:
                announcement = announcement_decoder.decode(aead_open(opener.key, 0, clove.announcement))
            except CryptoError:
                continue
            if self._execution is None:
                self._begin(announcement)
            if announcement != self._execution:
                raise WireError("paths disagree about the execution")
            node = NodeId(announcement.serving_node)
            path.cipher = Aead(keys.clove_key(secret, clove.salt, node, announcement.attempt))
            path.offset = opener.offset
            return path.cipher
        return None

    def _begin(self, announcement: Announcement) -> None:
        node = NodeId(announcement.serving_node)
        if announcement.attempt != self.attempt:
            raise WireError("another attempt than this one is answered")
        if not self._is_welcome(node):
            self.strangers += 1
            raise WireError("another node than the one asked answers")
        self._execution, self.serving_node = announcement, node
        self._frames = Aead(keys.frame_key(self.answer_secret, announcement.frame_salt, node, announcement.attempt))
        self._controls = Aead(keys.control_key(self.answer_secret, announcement.frame_salt))

    def _is_welcome(self, node: NodeId) -> bool:
        if self.serving_node is None or node == self.serving_node:
            return True
        return self.may_serve is not None and self.may_serve(node)

    def _share(self, number: int, index: int, share: bytes, now: float) -> list[FrameEvent]:
        if not self._next <= number < self._next + FRAME_WINDOW or number in self._ready:
            self._repeat |= number < self._next
            return []
        self._highest = max(self._highest, number)
        partial = self._partial.setdefault(number, _PartialFrame(first_seen=now))
        if index in partial.shares:
            return []
        partial.shares[index] = share
        if len(partial.shares) < self.k:
            return []
        assert self._frames is not None  # a share has opened
        try:
            sealed = join(partial.shares, self.n, self.k)
            frame = frame_decoder.decode(self._frames.open(number, sealed))
        except (CryptoError, WireError):
            return []
        if frame.number != number:
            return []
        del self._partial[number]
        self._keep_spare(number, partial.shares)
        self._asked.pop(number, None)
        self._ready[number] = frame.events
        self.frames += 1
        return self._in_order(now)

    def _in_order(self, now: float) -> list[FrameEvent]:
        events: list[FrameEvent] = []
        while self._next in self._ready:
            self.progress_at = now
            for event in self._ready.pop(self._next):
                if not self._ended:  # nothing can follow the last event
                    events.append(event)
                    self._ended = isinstance(event, Finished | Failed)
            self._next += 1
        return events

    # Control out

    @property
    def execution_known(self) -> bool:
        """An announcement has been read, so control messages can be sealed."""
        return self._execution is not None

    def path_known(self, path_index: int) -> bool:
        """Whether anything has come over this path since it was opened or replaced."""
        return self._paths[path_index].announced

    def acknowledge(self, now: float, *, force: bool = False) -> bytes | None:
        """An encoded acknowledgement when one is due, else None."""
        if self._execution is None:
            return None
        missing = self._missing(now)
        new = self._next > self._acknowledged or self._repeat
        if not force and not missing and (not new or now < self._acknowledged_at + ACKNOWLEDGE_SECONDS):
            return None
        self._acknowledged, self._acknowledged_at, self._repeat = self._next, now, False
        announced = sum(1 << index for index, path in self._paths.items() if path.announced)
        return self._control(
            Acknowledge(next_frame=self._next, missing=missing, announced=announced, counter=self._next_counter())
        )

    def _missing(self, now: float) -> tuple[int, ...]:
        """Frames below the highest seen that are not complete and were not asked for a moment ago."""
        wanted: list[int] = []
        for number in range(self._next, self._highest + 1):
            if number in self._ready or len(wanted) == 64:
                continue
            partial = self._partial.get(number)
            since = self._asked.get(number) or (partial.first_seen if partial else self._asked.setdefault(number, now))
            if now >= since + MISSING_SECONDS:
                self._asked[number] = now
                wanted.append(number)
        return tuple(wanted)

    def cancel(self) -> bytes | None:
        """An encoded cancellation, None while no execution is known."""
        return None if self._execution is None else self._control(Cancel(counter=self._next_counter()))

    def _control(self, message: Acknowledge | Cancel) -> bytes:
        nonce = self.random_bytes(NONCE_LENGTH)
        assert self._controls is not None
        sealed = self._controls.seal(int.from_bytes(nonce, "big"), encode(message))
        return encode(ControlClove(nonce=nonce, sealed=sealed))

    def _next_counter(self) -> int:
        self._counter += 1
        return self._counter

    def replace_path(self, path_index: int, clove_secret: bytes) -> Attach:
        """`Replace proxy i by j`: from now on path ``path_index`` may use ``clove_secret`` (or still the old one, where
        the node never got this path's request clove)."""
        counter = self._next_counter()
        old = self.clove_secrets[path_index]
        self._paths[path_index] = _PathKeys([clove_secret, old])
        key = keys.attach_key(self.answer_secret, self.request_id)
        sealed = aead_seal(key, counter, encode(Attachment(clove_secret=clove_secret)), bytes([path_index]))
        return Attach(request_id=self.request_id, index=path_index, counter=counter, sealed=sealed)

    def next_deadline(self) -> float | None:
        """When :meth:`acknowledge` may have something to say."""
        if self._execution is None:
            return None
        if self._next > self._acknowledged or self._repeat:
            return self._acknowledged_at + ACKNOWLEDGE_SECONDS
        if self._highest >= self._next:
            return max(self._acknowledged_at, self.heard_at or 0.0) + MISSING_SECONDS
        return None
