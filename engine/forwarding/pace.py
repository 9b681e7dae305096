"""How often members of a group speak. Pure."""

from __future__ import annotations

import math

from engine.forwarding.neighbours import FULL_MESH

INTERVAL_SECONDS = 1.0
"""Between two statements of a member that has news,"""
SMALL_GROUP_SECONDS = 0.25
"""or so many in a small group, where each statement is sent once to each: old news cost entry nodes wrong choices,"""
QUIET_SECONDS = 5.0
"""and of one that has none."""
STATEMENTS_PER_SECOND = 128.0
"""Of all members together, about: in larger groups everybody speaks less often."""


def statement_interval(members: int) -> float:
    """Seconds between two statements of one of so many members while it has news."""
    if members <= FULL_MESH:
        return SMALL_GROUP_SECONDS
    return max(INTERVAL_SECONDS, members / STATEMENTS_PER_SECOND)


def quiet_interval(interval: float) -> float:
    """The same while it has none."""
    return max(QUIET_SECONDS, interval)


def telling_silence(members: int) -> float:
    """Seconds after which silence tells that nothing has come to a member: in a small group all hear every statement at
    once. In a large one news may be late, and silence tells nothing."""
    return statement_interval(members) if members <= FULL_MESH else math.inf
