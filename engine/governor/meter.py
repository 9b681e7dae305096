"""What contributing took this month: energy, traffic and words, by local months."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

MOST_WATTS = 100_000.0
MOST_SECONDS = 60.0
"""A gap between two readings that is longer counts as so long: the machine slept."""
JOULES_PER_KWH = 3.6e6
MOST_OTHERS = 3
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
    """Adds up. A clock that leaps gives nothing back: where it comes back to a month, that month's count is still
    there, and what a later one has counted meanwhile is added to it."""

    def __init__(self, kept: tuple[Month, ...] = ()) -> None:
        """``kept``: see :attr:`months`."""
        self.month, *self._others = kept or (Month(),)

    @property
    def months(self) -> tuple[Month, ...]:
        """What is to be kept: the present month, and those in which the clock was before, the latest first."""
        return (self.month, *self._others)

    def at(self, month: str) -> Month:
        """The count of that month."""
        left = self.month
        if month != left.month:
            here = next((one for one in self._others if one.month == month), Month(month=month))
            others = [one for one in (left, *self._others) if one.month not in ("", month)]
            self._others = others[:MOST_OTHERS]
            self.month = here if month > left.month else _both(here, left)
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


def _both(here: Month, later: Month) -> Month:
    """The count of ``here``'s month and what a later one counted."""
    return replace(
        here,
        joules=here.joules + later.joules,
        measured=here.measured or later.measured,
        bytes=here.bytes + later.bytes,
        relayed_bytes=here.relayed_bytes + later.relayed_bytes,
        tokens=here.tokens + later.tokens,
    )
