"""When a member of a small group speaks before its turn. Pure.

Others reckon on from what it said last: it reads on at its rate (``prediction.py``). Only where they would be wrong by
so much that they would choose otherwise is it worth a further statement, and that at once: when a long prompt has come.
A worker tells its engine by the same rule.
"""

from __future__ import annotations

import math
from typing import Protocol

from engine.forwarding.prediction import UNMEASURED_PREFILL

OFF_SECONDS = 0.05
"""Of reading by which others may be wrong,"""
OFF_ANSWERS = 2
"""and answers by which they must be, to be told before the turn."""
LEAST_SECONDS = 0.02
"""Between two statements of one member."""
EARLY_RATE, EARLY_BURST = 4.0, 4.0
"""Statements before the turn, per second and at once."""


class Work(Protocol):
    """What ``members.Load`` and ``engine.inference.types.ModelInfo`` say alike."""

    @property
    def queue_tokens(self) -> int: ...

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def prefill_rate(self) -> float: ...


def mistaken(told: Work, load: Work, seconds: float) -> bool:
    """Whether who has heard ``told`` so many seconds ago thinks something else of the machine than ``load`` says."""
    rate = max(load.prefill_rate or UNMEASURED_PREFILL, 1.0)
    reckoned = max(told.queue_tokens / rate - seconds, 0.0)
    answers = load.running + load.waiting - told.running - told.waiting
    return abs(load.queue_tokens / rate - reckoned) > OFF_SECONDS or abs(answers) >= OFF_ANSWERS


class Interjections:
    """Keeps a member's statements before its turn within ``EARLY_RATE`` and ``EARLY_BURST``."""

    def __init__(self) -> None:
        self._counted = -math.inf

    def earliest(self, told_at: float) -> float:
        """When it may speak before its turn, having spoken at ``told_at``."""
        return max(told_at + LEAST_SECONDS, self._counted - (EARLY_BURST - 1.0) / EARLY_RATE)

    def made(self, now: float) -> None:
        """It has."""
        self._counted = max(self._counted, now) + 1.0 / EARLY_RATE
