"""``round-robin``: one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from engine.forwarding.policies.candidates import candidates, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random


@dataclass(slots=True)
class RoundRobin:
    """Takes turns among whoever may serve, in the order of the group, from a random start: several entry nodes that
    start together would otherwise march in step."""

    name: ClassVar[str] = "round-robin"
    _turn: int | None = field(default=None, init=False)

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The next one."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        turn = random.randrange(len(members)) if self._turn is None else self._turn + 1
        if len(members) > 1 or self._turn is None:  # a request that only one may serve is nobody's turn
            self._turn = turn
        return Choice(target=members[turn % len(members)].node_id)
