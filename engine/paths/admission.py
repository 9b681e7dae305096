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
"""Request and message ids remembered for replay refusal; when full, new requests are refused, never forgotten ones."""


class Admission:
    """The requests that have started while a repetition of them could; ``started``: requests sealed before are
    refused."""

    def __init__(
        self,
        started: float,
        kept: Iterable[tuple[float, bytes]] = (),
        keep: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """``kept``: ids of requests of an earlier run, with when to forget each (wall): one that was sealed ahead of
        this node's clock is younger than its next start. ``keep`` writes one down for a later run, before it starts.
        Whoever makes an answer twice signs two final receipts of it, which looks like a lie."""
        self._started = started
        self._keep = keep
        # Request and message ids -> when to forget (wall).
        self._seen = OrderedDict((request_id, until) for until, request_id in sorted(kept)[-MAX_REMEMBERED:])

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered."""
        return len(self._seen) >= MAX_REMEMBERED

    def __contains__(self, message_id: bytes) -> bool:
        """Whether a request with this message id (or request id) has started."""
        return message_id in self._seen

    def add(self, request: Request, message_id: bytes) -> None:
        """This one starts."""
        self._keep(request.request_id)
        self._seen[request.request_id] = self._seen[message_id] = request.sealed_at + REQUEST_LIFE + CLOCK_SKEW

    def check(self, request: Request, n: int, k: int, wall: float) -> None:
        """Raise :class:`WireError` for what must not start (dropped without an answer). ``n``, ``k``: the numbers of
        the cloves that brought it."""
        while self._seen and next(iter(self._seen.values())) < wall:
            self._seen.popitem(last=False)
        if request.version != PROTOCOL_VERSION:
            raise WireError("unknown protocol version")
        if request.sealed_at < wall - REQUEST_LIFE or request.sealed_at > wall + CLOCK_SKEW:
            raise WireError("request is too old or from the future")
        if request.sealed_at < self._started:
            raise WireError("request was sealed before this node's start")
        if request.request_id in self._seen:
            raise WireError("request id was seen before")
        if (request.n, request.k) != (n, k) or len(request.clove_secrets) != request.n:
            raise WireError("contradictory clove numbers")
