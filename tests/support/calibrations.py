"""A made-up calibration: honest answers nearly never differ, the cheat's do in three tokens of a hundred."""

from typing import Any

from engine.verification.scoring.calibration import Calibration, Condition
from engine.verification.scoring.cells import BOUNDS

SURE = (60_000, 20_000, 10_000, 4_000, 2_500, 1_400, 700, 400, 200, 700)
"""Tokens that are drawn, from surely to barely."""
HONEST = Condition("honest", (*SURE, 40, 30, 20, 10, 0, 0, 0, 0, 0, 0, 0))
CHEAT = Condition(
    "4-bit weights",
    (60_000, 19_900, 9_800, 3_500, 1_900, 800, 400, 200, 100, 350, 2, 20, 100, 300, 600, 1000, 700, 250, 28, 0, 0),
)


def calibration(**changes: Any) -> Calibration:
    fields: dict[str, Any] = {
        "model": "m",
        "digest": "ab" * 32,
        "precision": "fp32",
        "bounds": BOUNDS,
        "honest": HONEST,
        "cheat": CHEAT,
    }
    return Calibration(**fields | changes)
