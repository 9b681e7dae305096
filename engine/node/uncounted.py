"""Requests that this machine has begun to serve and that its models do not count yet. Pure.

A model counts what it has to do between two steps, and its engine hears it a little later still. Until then whatever
has been begun here would be in nobody's count: all of a burst would look as if it met an idle machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.ids import RequestId

COUNTED_SECONDS = 0.5
"""After its first event a request counts as counted, whatever its back end says of its load, or does not."""


class Work(NamedTuple):
    """So many requests, their prompt tokens to read, and tokens that they may write."""

    requests: int = 0
    tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class _Begun:
    model_digest: bytes
    tokens: int
    output_tokens: int
    taken_at: float | None = None


class Uncounted:
    """Of all models of this machine. Whoever tells :meth:`begun` tells :meth:`over`, too."""

    def __init__(self) -> None:
        self._begun: dict[RequestId, _Begun] = {}

    def begun(self, request_id: RequestId, model_digest: bytes, tokens: int, output_tokens: int) -> None:
        """This machine serves a request: so many prompt tokens are not in its cache, so many may be written."""
        self._begun[request_id] = _Begun(model_digest, max(tokens, 0), output_tokens)

    def taken(self, request_id: RequestId, now: float) -> None:
        """Its model has it: what it says next of how much it has to do counts it."""
        begun = self._begun.get(request_id)
        if begun is not None and begun.taken_at is None:
            begun.taken_at = now

    def counted(self) -> None:
        """The models have said how much they have to do."""
        self._begun = {name: one for name, one in self._begun.items() if one.taken_at is None}

    def over(self, request_id: RequestId) -> None:
        """It has been answered, or is not wanted any more."""
        self._begun.pop(request_id, None)

    def of(self, model_digest: bytes, now: float) -> Work:
        """All of one model."""
        found = [
            one
            for one in self._begun.values()
            if one.model_digest == model_digest and (one.taken_at is None or now < one.taken_at + COUNTED_SECONDS)
        ]
        return Work(len(found), sum(one.tokens for one in found), sum(one.output_tokens for one in found))
