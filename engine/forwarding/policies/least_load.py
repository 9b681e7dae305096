"""``least-load``: whoever has the least to do, whatever is in its cache.

The least-outstanding-requests rule of load balancers; ``by="tokens"`` counts tokens instead of requests, and
``sample`` looks at that many random members only (two: the power of two choices, M. Mitzenmacher, IEEE TPDS 12(10),
2001, which stale news misleads less).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.errors import ConfigurationError
from engine.forwarding.policies.candidates import candidates, lowest, outstanding, outstanding_tokens, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random


@dataclass(slots=True)
class LeastLoad:
    """Fewest outstanding requests (or tokens); equal ones by lot."""

    name: ClassVar[str] = "least-load"
    by: Literal["requests", "tokens"] = "requests"
    sample: int = 0  # members to look at; 0: all

    def __post_init__(self) -> None:
        if self.by not in ("requests", "tokens"):
            raise ConfigurationError(f"least-load counts by requests or by tokens, not by {self.by!r}.")

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The least loaded one."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        if 0 < self.sample < len(members):
            members = [members[random.randrange(len(members))] for _ in range(self.sample)]
        load = outstanding if self.by == "requests" else outstanding_tokens
        return Choice(target=lowest(members, load, random).node_id)
