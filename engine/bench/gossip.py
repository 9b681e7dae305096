"""What the gossip of a group costs each of its members, and how old what it knows is: the real machines in simulated
time."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

from engine.forwarding.pace import SMALL_GROUP_SECONDS
from engine.simulation.gossip import GossipNetwork

SIZES = (8, 16, 64, 256, 1_000)
SECONDS = {8: 60.0, 16: 60.0, 64: 30.0, 256: 8.0, 1_000: 4.0}
"""That are measured, by members; each takes some 20 ms of processor time per member and second."""
_SYSTEM_PROMPTS = 20
_STEP_SECONDS = SMALL_GROUP_SECONDS
"""Between two changes of a busy member's load: never without news."""


def measure_gossip(size: int, *, busy: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Bytes per member and second by kind of message, and the age of what is known."""
    say(f"simulating: {size} {'busy' if busy else 'quiet'} members")
    net = GossipNetwork(size, seed=1)
    systems = [net.prompt(20) for _ in range(_SYSTEM_PROMPTS)]
    seconds = SECONDS[size]

    def live(seconds: float) -> None:
        for _ in range(round(seconds / _STEP_SECONDS)):
            if busy:
                for name in net.ids:
                    net.busy(name)
                    if net.random.random() < _STEP_SECONDS / 3:
                        net.insert(name, net.prompt(6, net.random.choice(systems)))
            net.run(_STEP_SECONDS)

    live(max(4.0, size / 128))
    before = net.sent_bytes()
    live(seconds)
    sent: Counter[str] = net.sent_bytes() - before
    each = {kind: round(count / size / seconds) for kind, count in sorted(sent.items())}
    ages = sorted(
        net.now - heard.heard for name in net.ids for heard in net.machine(name).heard(net.now) if heard.node_id != name
    )
    return {
        "members": size,
        "busy": busy,
        "seconds": seconds,
        "bytes_per_member_per_s": sum(each.values()),
        "statement_bytes": each.get("GroupNews", 0) + each.get("GroupState", 0),
        "offer_bytes": each.get("GroupOffer", 0) + each.get("GroupWant", 0),
        "by_kind": each,
        "age_s": {"mean": round(statistics.fmean(ages), 2), "p99": round(ages[int(len(ages) * 0.99)], 2)},
        "known_share": len(ages) / (size * (size - 1)),
    }
