"""A made-up calibration: honest answers nearly never differ, the cheat's do in three tokens of a hundred."""

from typing import Any

from engine.verification.scoring.calibration import Calibration, Condition
from engine.verification.scoring.cells import BOUNDS

HONEST = Condition("honest", (99_900, 40, 30, 20, 10, 0, 0, 0, 0, 0, 0, 0))
CHEAT = Condition("4-bit weights", (97_000, 2, 20, 100, 300, 600, 1000, 700, 250, 28, 0, 0))


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
