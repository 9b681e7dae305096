"""What a sensor is: a function that is called in a thread and gives some fields of readings, or says why it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.governor.readings import SensorName
from engine.sentences import say

Fields = Mapping[str, Any]
Pids = Callable[[], Collection[int]]


class Unmeasured(Exception):  # noqa: N818 - not a mistake: what a system does not tell
    """Why nothing is known, for people."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or say("governor.not_measured"))

    @property
    def reason(self) -> str:
        """As a sentence."""
        return str(self.args[0]) if not isinstance(self.args[0], str) else self.args[0]


@dataclass(frozen=True)
class Sensor:
    """``read`` may block; it is called in a thread, every ``seconds`` at most, and never twice at a time. ``close``
    lets go of what it holds."""

    name: SensorName
    read: Callable[[], Fields]
    seconds: float = 1.0
    close: Callable[[], None] = lambda: None


def within(value: float | None, low: float, high: float) -> float | None:
    """``value`` if it can be true; None for what a sensor that lies or does not know says."""
    if value is None or not math.isfinite(value) or not low <= value <= high:
        return None
    return float(value)
