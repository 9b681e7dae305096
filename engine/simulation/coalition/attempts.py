"""What a coalition may try, and what becomes of a path that some of its relays are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Refusal = Literal["never", "unless the guard is its own", "unless guard and proxy are", "unless all three are"]
Rules = Literal["ours", "declared", "known beacon", "no readmission"]
SILENCE = -1
"""In place of the number of the relay that says no: nobody says anything."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing to try under some rules.

    ``rules``: ours, or those of a network in which something is missing: neighbours are what a relay declares, a place
    follows from a beacon that is known when the relay joins, or places outlast absence. ``grinds``: its relays have
    chosen their keys. ``spare_identities``: it has so many identities for each relay that it keeps running, of which it
    uses those that stand best; all sleep first for long enough to be somebody new to the server (``sleeps``), or only
    those that are not used do.
    """

    name: str
    rules: Rules = "ours"
    refusal: Refusal = "never"
    grinds: bool = False
    spare_identities: int = 1
    sleeps: bool = True

    @property
    def refuses(self) -> bool:
        """Whether it refuses any paths."""
        return self.refusal != "never"


OURS = (
    Attempt("nothing"),
    Attempt("grinds keys", grinds=True),
    Attempt("wakes dormant identities", spare_identities=5),
    Attempt("refuses all paths but those of its own guards", refusal="unless the guard is its own"),
    Attempt("refuses all but with guard and proxy its own", refusal="unless guard and proxy are"),
    Attempt("refuses all but with all three its own", refusal="unless all three are"),
    Attempt("all of this together", refusal="unless all three are", grinds=True, spare_identities=5),
)
"""Lies about links change nothing here, as nobody's word about them is asked; refusing a link refuses its paths."""
OTHERS = (
    Attempt("self-declared neighbours: lies", rules="declared"),
    Attempt("self-declared neighbours: lies and refuses", rules="declared", refusal="unless all three are"),
    Attempt("beacon known in advance: grinds keys", rules="known beacon", grinds=True),
    Attempt("no readmission: wakes dormant identities", rules="no readmission", spare_identities=5),
)
"""Networks without one of our rules, to see that the count shows what the rule prevents."""
LIMITS = (Attempt("runs five times as many first, keeps the best", spare_identities=5, sleeps=False),)
"""What our rules do not prevent: identities cost nothing yet."""


def refused_by(hostile: Sequence[bool], refusal: Refusal) -> int | None:
    """Which relay of a path (guard first) says no, ``SILENCE`` if one of them only falls silent, None if it opens.

    Its relays know each other by timing. They do it as costs them least: behind a guard of its own the last one says
    no, which does not count against the guard; behind another's guard, or by having no link with it, one makes the
    guard look bad.
    """
    if refusal == "never" or not any(hostile):
        return None
    passes = {
        "unless the guard is its own": hostile[0],
        "unless guard and proxy are": hostile[0] and hostile[-1],
        "unless all three are": all(hostile),
    }[refusal]
    if passes:
        return None
    return max(hop for hop, bad in enumerate(hostile) if bad) if hostile[0] else SILENCE
