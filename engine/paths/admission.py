"""Which requests may start at a model node: fresh ones, once each, sealed since the node's last start. Pure.

``wall`` is seconds since 1970.
"""

from __future__ import annotations

from collections import OrderedDict

from engine.errors import WireError
from engine.wire import PROTOCOL_VERSION
from engine.wire.answer import Request

REQUEST_LIFE = 300.0
"""Seconds after sealing in which a request may start."""
CLOCK_SKEW = 120.0
MAX_REMEMBERED = 65_536
"""Request and message ids remembered for replay refusal; when full, new requests are refused, never forgotten ones."""


class Admission:
    """The requests that have started while a repetition of them could; ``started``: requests sealed before are
    refused."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._seen: OrderedDict[bytes, float] = OrderedDict()  # request and message ids -> when to forget (wall)

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered."""
        return len(self._seen) >= MAX_REMEMBERED

    def __contains__(self, message_id: bytes) -> bool:
        """Whether a request with this message id (or request id) has started."""
        return message_id in self._seen

    def add(self, request: Request, message_id: bytes) -> None:
        """This one starts."""
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
