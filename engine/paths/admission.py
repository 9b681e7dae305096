"""Which requests may start at a model node: fresh ones, once each, sealed since the node's last start. Pure.

``wall`` is seconds since 1970.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from engine.errors import WireError
from engine.wire import PROTOCOL_VERSION
from engine.wire.answer import Request

REQUEST_LIFE = 300.0
"""Seconds after sealing in which a request may start."""
CLOCK_SKEW = 120.0
REPLAY_MEMORY = REQUEST_LIFE + CLOCK_SKEW
"""Seconds after its start in which a request could start once more: it may be sealed by a clock that is ahead."""
MAX_REMEMBERED = 65_536
"""Request ids, and as many message ids, remembered for replay refusal; when full, new requests are refused, never
forgotten ones that could still be replayed."""


class Admission:
    """The requests that have started while a repetition of them could; ``started``: requests sealed before are
    refused. Their ids are remembered longer, where there is room: of one promised question of a verifier only one
    answer is signed, whenever it asks again (``engine.verification.challenges.opening``)."""

    def __init__(
        self,
        started: float,
        kept: Iterable[tuple[float, bytes]] = (),
        keep: Callable[[bytes], None] = lambda _: None,
        memory: float = REPLAY_MEMORY,
    ) -> None:
        """``kept``: ids of requests of an earlier run, with when to forget each (wall): one that was sealed ahead of
        this node's clock is younger than its next start. ``keep`` writes one down for a later run, before it starts.
        Whoever makes an answer twice signs two final receipts of it, which looks like a lie. ``memory``: seconds after
        its sealing for which a request's id is remembered, if that is longer than it could start once more."""
        self._started = started
        self._keep = keep
        self._longer = max(0.0, memory - REPLAY_MEMORY)
        # Ids -> when to forget (wall).
        self._requests = OrderedDict((request_id, until) for until, request_id in sorted(kept)[-MAX_REMEMBERED:])
        self._messages: OrderedDict[bytes, float] = OrderedDict()

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered."""
        return max(len(self._requests), len(self._messages)) >= MAX_REMEMBERED

    def __contains__(self, message_id: bytes) -> bool:
        """Whether a request with this message id has started."""
        return message_id in self._messages

    def add(self, request: Request, message_id: bytes) -> None:
        """This one starts."""
        self._keep(request.request_id)
        until = request.sealed_at + REPLAY_MEMORY
        self._requests[request.request_id], self._messages[message_id] = until + self._longer, until

    def check(self, request: Request, n: int, k: int, wall: float) -> None:
        """Raise :class:`WireError` for what must not start (dropped without an answer). ``n``, ``k``: the numbers of
        the cloves that brought it."""
        _forget(self._messages, wall)
        _forget(self._requests, wall)
        if len(self._requests) >= MAX_REMEMBERED:  # what cannot be replayed any more makes room
            _forget(self._requests, wall + self._longer, down_to=MAX_REMEMBERED - 1)
        if request.version != PROTOCOL_VERSION:
            raise WireError("unknown protocol version")
        if request.sealed_at < wall - REQUEST_LIFE or request.sealed_at > wall + CLOCK_SKEW:
            raise WireError("request is too old or from the future")
        if request.sealed_at < self._started:
            raise WireError("request was sealed before this node's start")
        if request.request_id in self._requests:
            raise WireError("request id was seen before")
        if (request.n, request.k) != (n, k) or len(request.clove_secrets) != request.n:
            raise WireError("contradictory clove numbers")


def _forget(kept: OrderedDict[bytes, float], wall: float, down_to: int = 0) -> None:
    """The oldest whose time is over, while more than ``down_to`` are kept."""
    while len(kept) > down_to and next(iter(kept.values())) < wall:
        kept.popitem(last=False)
