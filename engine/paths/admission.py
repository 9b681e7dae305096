"""Which requests may start at a model node: fresh ones, once each, sealed since the node's last start. Pure.

``wall`` is seconds since 1970.
"""

from __future__ import annotations

import heapq
import math
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
    answer is signed, whenever it asks again (``engine.verification.challenges.opening``).

    The oldest are forgotten first, and what is not younger than a forgotten one is refused from then on: however the
    clock is set, nothing starts twice. Where one was forgotten for its age, refused is all that was sealed while a
    second answer to it would be believed: a verifier may seal its promised question anew. Where the clock was right
    this refuses nothing, as all that is too old already; one that was ahead, forgot and is set back takes nothing
    until then."""

    def __init__(
        self,
        started: float,
        kept: Iterable[tuple[float, bytes]] = (),
        keep: Callable[[bytes, float], None] = lambda _id, _sealed: None,
        memory: float = REPLAY_MEMORY,
        forgotten: float = -1.0,
    ) -> None:
        """``kept``: the requests of an earlier run, when each was sealed and its id: one that was sealed ahead of
        this node's clock is younger than its next start. ``keep`` writes one down for a later run, before it starts.
        Whoever makes an answer twice signs two final receipts of it, which looks like a lie. ``memory``: seconds after
        its sealing for which a request's id is remembered, if that is longer than it could start once more.
        ``forgotten``: when the youngest was sealed of which an earlier run no longer knows, for its age."""
        self._started = started
        self._keep = keep
        self._memory = max(REPLAY_MEMORY, memory)
        self._forgotten = self._until(forgotten)
        self._requests, self._messages = _Dated(kept), _Dated()
        self._forget(math.inf, MAX_REMEMBERED)

    @property
    def is_full(self) -> bool:
        """Whether no more can be remembered."""
        return max(len(self._requests), len(self._messages)) >= MAX_REMEMBERED

    def __contains__(self, message_id: bytes) -> bool:
        """Whether a request with this message id has started."""
        return message_id in self._messages

    def add(self, request: Request, message_id: bytes) -> None:
        """This one starts."""
        self._keep(request.request_id, request.sealed_at)
        self._requests.add(request.sealed_at, request.request_id)
        self._messages.add(request.sealed_at, message_id)

    def check(self, request: Request, n: int, k: int, wall: float) -> None:
        """Raise :class:`WireError` for what must not start (dropped without an answer). ``n``, ``k``: the numbers of
        the cloves that brought it."""
        self._messages.forget(wall - REPLAY_MEMORY)
        self._forgotten = max(self._forgotten, self._until(self._requests.forget(wall - self._memory)))
        self._forget(wall - REPLAY_MEMORY, MAX_REMEMBERED - 1)  # what cannot be replayed any more makes room
        if request.version != PROTOCOL_VERSION:
            raise WireError("unknown protocol version")
        if request.sealed_at < wall - REQUEST_LIFE or request.sealed_at > wall + CLOCK_SKEW:
            raise WireError("request is too old or from the future")
        if request.sealed_at < self._started:
            raise WireError("request was sealed before this node's start")
        if request.sealed_at <= self._forgotten:
            raise WireError("request is not younger than one that is forgotten")
        if request.request_id in self._requests:
            raise WireError("request id was seen before")
        if (request.n, request.k) != (n, k) or len(request.clove_secrets) != request.n:
            raise WireError("contradictory clove numbers")

    def _until(self, sealed: float) -> float:
        """What was sealed until then is refused, where a request that was ``sealed`` then is forgotten for its age. A
        right clock has come further than that by a request's life."""
        return sealed + self._memory - REQUEST_LIFE if sealed >= 0.0 else sealed

    def _forget(self, before: float, down_to: int = 0) -> None:
        self._forgotten = max(self._forgotten, self._requests.forget(before, down_to))


class _Dated:
    """Ids with a date each; one that has come again, long after, is kept until its last date."""

    def __init__(self, dated: Iterable[tuple[float, bytes]] = ()) -> None:
        self._by_date = sorted(dated)
        self._newest = {one: date for date, one in self._by_date}

    def __len__(self) -> int:
        return len(self._by_date)

    def __contains__(self, one: bytes) -> bool:
        return one in self._newest

    def add(self, date: float, one: bytes) -> None:
        heapq.heappush(self._by_date, (date, one))
        self._newest[one] = max(date, self._newest.get(one, date))

    def forget(self, before: float, down_to: int = 0) -> float:
        """The oldest that are dated ``before``, while more than ``down_to`` are kept. The last one's date."""
        last = -1.0
        while len(self._by_date) > down_to and self._by_date[0][0] < before:
            last, one = heapq.heappop(self._by_date)
            if self._newest.get(one) == last:
                del self._newest[one]
        return last
