"""``random``: anybody, with equal chances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.forwarding.policies.candidates import candidates, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random


@dataclass(slots=True)
class RandomMember:
    """Uniform among whoever may serve."""

    name: ClassVar[str] = "random"

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """One of them."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        return Choice(target=members[random.randrange(len(members))].node_id)
