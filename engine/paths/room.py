"""Who may have how many of a model node's places, and who gives way when there is none. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from engine.ids import NodeId, RequestId
from engine.paths.execution import Execution

MAX_EXECUTIONS = 64
"""Answers at a time, those included whose clients have not said that they have the end."""
PLACES = 40
"""Answers that are not complete, as many as a worker makes and lets wait by its settings: above that, those whose
clients are gone give way."""
FREE_FOR_EACH = 3
"""Places that must be free for each one that a member has taken by what it has passed on, else it gets no more: the
more members press, the fewer each of them can take, and something is left for others."""


def has_enough(executions: Collection[Execution], member: NodeId, now: float) -> bool:
    """Whether a member may not pass on anything more for now. What would give way to others takes no place."""
    there = [one for one in executions if not one.held and not one.sender.finished and one.is_there(now)]
    taken = sum(one.brought_by == member for one in there)
    return FREE_FOR_EACH * taken >= PLACES - len(there)


def gives_way(executions: Mapping[RequestId, Execution], now: float) -> RequestId | None:
    """Which answer ends for the sake of one more, where places are short: one whose client is gone or, where too many
    linger, one that is complete; of whoever has brought most of these, the one silent for longest."""
    served = {request_id: one for request_id, one in executions.items() if not one.held}
    running = {request_id: one for request_id, one in served.items() if not one.sender.finished}
    idle = {request_id: one for request_id, one in running.items() if not one.is_there(now)}
    if len(running) < PLACES:
        if len(served) < MAX_EXECUTIONS:
            return None
        idle |= {request_id: one for request_id, one in served.items() if one.sender.finished}
    brought = Counter(one.brought_by for one in idle.values())
    return max(idle, key=lambda name: (brought[idle[name].brought_by], -idle[name].last_heard), default=None)
