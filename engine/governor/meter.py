"""What contributing took this month: energy, traffic and words, by local months."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

MOST_WATTS = 100_000.0
MOST_SECONDS = 60.0
"""A gap between two readings that is longer counts as so long: the machine slept."""
JOULES_PER_KWH = 3.6e6
Amount = Annotated[float, Meta(ge=0)]


class Month(Struct, frozen=True, kw_only=True):
    """``month`` as in 2026-11. ``joules`` only where power can be measured (``measured``)."""

    month: str = ""
    joules: Amount = 0.0
    measured: bool = False
    bytes: Amount = 0.0
    relayed_bytes: Amount = 0.0
    tokens: Amount = 0.0

    @property
    def kwh(self) -> float:
        return self.joules / JOULES_PER_KWH


class Meter:
    """Adds up. A clock that was set back does not begin a month anew: what was used stays used."""

    def __init__(self, kept: Month) -> None:
        self.month = kept

    def at(self, month: str) -> Month:
        """The count of that month, or of a later one that has begun already."""
        if month > self.month.month:
            self.month = Month(month=month)
        return self.month

    def add(
        self,
        month: str,
        *,
        watts: float | None = None,
        seconds: float = 0.0,
        moved: float = 0.0,
        relayed: float = 0.0,
        tokens: int = 0,
    ) -> None:
        """``watts`` over ``seconds``, and bytes and tokens since the last call. Nonsense is left out."""
        now = self.at(month)
        believed = watts if watts is not None and 0 <= watts <= MOST_WATTS else None
        self.month = Month(
            month=now.month,
            joules=now.joules + (believed or 0.0) * min(max(seconds, 0.0), MOST_SECONDS),
            measured=now.measured or believed is not None,
            bytes=now.bytes + max(moved, 0.0),
            relayed_bytes=now.relayed_bytes + max(relayed, 0.0),
            tokens=now.tokens + max(tokens, 0),
        )
