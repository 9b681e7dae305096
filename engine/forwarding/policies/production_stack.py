"""``production-stack``: cache hit minus load, both without a unit.

After the ``loadaware`` router of vllm-project/production-stack (pull request 1035): score = matched / prompt - β ·
(load - mean load) / max(1, mean load), load in requests, β = 1; the highest score serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.forwarding.policies.candidates import candidates, lowest, outstanding, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random


@dataclass(slots=True)
class ProductionStack:
    """Highest score; equal ones by lot."""

    name: ClassVar[str] = "production-stack"
    beta: float = 1.0  # a member with twice the mean load loses as much as a full hit gains

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The member with the highest score."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        cached = group.cached(asked)
        mean = sum(map(outstanding, members)) / len(members)
        scale, tokens = self.beta / max(1.0, mean), max(asked.prompt_tokens, 1)
        chosen = lowest(
            members,
            lambda member: scale * (outstanding(member) - mean) - min(cached.get(member.node_id, 0), tokens) / tokens,
            random,
        )
        return Choice(target=chosen.node_id)
