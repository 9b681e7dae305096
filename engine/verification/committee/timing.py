"""How long a member waits in a round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: ``first`` for each step of round 0, ``growth`` more in every round, at most ``longest``."""

    first: float = 10.0
    growth: float = 5.0
    longest: float = 120.0

    def wait(self, round_number: int) -> float:
        """Seconds that each step of a round may take."""
        return min(self.first + self.growth * round_number, self.longest)

    @property
    def repeat(self) -> float:
        """Seconds between two times that a member tells the others what it has."""
        return self.first / 2


def timing_of(epoch_seconds: float) -> Timing:
    """What fits an epoch: a fortieth of it for a step of round 0, at least half a second, at most ten."""
    first = min(max(epoch_seconds / 40, 0.5), 10.0)
    return Timing(first, first / 2, 12 * first)
