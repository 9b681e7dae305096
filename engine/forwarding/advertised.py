"""How much of an advertised speed is believed before anybody here has measured it. Pure.

A member says twice how fast it reads: in its descriptor, which everybody sees and verifiers measure, and in what it
tells its group, by which requests are passed on. The second counts no further than the first allows, and where the
committee has found a member to read slower than it says, no further than that. What is too much is taken off all its
rates: it speaks of one machine.
"""

from __future__ import annotations

from engine.forwarding.prediction import LEAST_RATE, UNMEASURED_PREFILL

RENEWED = 4.0
"""So many times what its descriptor says a member may tell its group: descriptors are up to five minutes behind, and a
machine finds out how fast it is only when it reads long prompts."""


def advertised_trust(told: float, listed: float, found: float | None) -> float:
    """The share of its rates that a member is believed, in (0, 1]. All in prompt tokens a second: what it has ``told``
    its group, what its descriptor has ``listed`` (0: not measured), and what the committee has ``found`` (None: nothing
    against its word)."""
    most = RENEWED * max(listed or UNMEASURED_PREFILL, LEAST_RATE)
    if found is not None:
        most = min(most, max(found, 1.0))
    return min(1.0, most / (told or UNMEASURED_PREFILL))
