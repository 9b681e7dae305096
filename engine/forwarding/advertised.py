"""How much of an advertised speed is believed before anybody here has measured it. Pure.

A member says twice how fast it is: in its descriptor, which everybody sees and verifiers measure, and in what it tells
its group, by which requests are passed on. The second counts no further than the first allows, and where the committee
has found a member to read slower than it says, no further than that. What is too much is taken off all its rates: it
speaks of one machine. What a descriptor may claim at all is bounded by what is usual in the group
(``policies/usual.py``).
"""

from __future__ import annotations

from engine.forwarding.prediction import LEAST_RATE, UNMEASURED_PREFILL

RENEWED = 4.0
"""So many times what its descriptor says a member may tell its group: descriptors are up to five minutes behind, and a
machine finds out how fast it is only when it reads long prompts."""


def advertised_trust(
    told: float, listed: float, found: float | None, told_writing: float = 0.0, listed_writing: float = 0.0
) -> float:
    """The share of its rates that a member is believed, in (0, 1]. In prompt tokens a second: what it has ``told`` its
    group, what its descriptor has ``listed`` (0: not measured), and what the committee has ``found`` (None: nothing
    against its word). In tokens a second, of an answer that runs alone: what it has told, and of all answers together,
    which is no less, what its descriptor has listed (0: only what is usual bounds it)."""
    most = RENEWED * max(listed or UNMEASURED_PREFILL, LEAST_RATE)
    if found is not None:
        most = min(most, max(found, 1.0))
    reads = most / (told or UNMEASURED_PREFILL)
    writes = RENEWED * max(listed_writing, LEAST_RATE) / told_writing if listed_writing and told_writing else 1.0
    return min(1.0, reads, writes)
