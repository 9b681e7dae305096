"""``consistent-hash``: a prefix belongs to a place on a ring; who is there serves it, unless it has too much to do.

Consistent hashing with bounded loads: V. Mirrokni, M. Thorup, M. Zadimoghaddam, SODA 2018, as HAProxy (``hash-balance-
factor``) and KubeAI (``PrefixHash``, mean load factor 125 %, 256 replications) use it. A request without a public part
goes to the least loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from engine.forwarding.policies.candidates import candidates, lowest, outstanding, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random
from engine.forwarding.policies.ring import Ring

POINTS = 256


@dataclass(slots=True)
class ConsistentHash:
    """The first member on the ring whose load is below the bound."""

    name: ClassVar[str] = "consistent-hash"
    load_factor: float = 1.25  # times the mean load, this request included; below 1: no bound
    _ring: Ring = field(default_factory=lambda: Ring(POINTS), init=False)

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The owner of the public prefix, or the next one that is not full."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        if not asked.prefix or len(members) == 1:
            return Choice(target=lowest(members, outstanding, random).node_id)
        loads = {member.node_id: outstanding(member) for member in members}
        bound = ceil(self.load_factor * (sum(loads.values()) + 1) / len(loads)) if self.load_factor >= 1 else None
        self._ring.update(group.members, now)
        for node_id in self._ring.after(asked.prefix):
            if node_id in loads and (bound is None or loads[node_id] < bound):
                return Choice(target=node_id)
        return Choice(target=lowest(members, outstanding, random).node_id)
