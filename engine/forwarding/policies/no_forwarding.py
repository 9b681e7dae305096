"""``none``: the entry node itself serves. What everything else is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.forwarding.policies.candidates import may_serve
from engine.forwarding.policies.interface import Asked, Choice, Group, Random

NOT_HERE = "This machine takes no new requests now, and forwarding is off."


@dataclass(slots=True)
class NoForwarding:
    """The entry node serves or refuses."""

    name: ClassVar[str] = "none"

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """Myself, or nobody."""
        entry = group.member(group.myself)
        if entry is None or not may_serve(entry, asked):
            return Choice(target=None, reason=NOT_HERE)
        return Choice(target=entry.node_id)
