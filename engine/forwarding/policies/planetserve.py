"""``planetserve``: among holders of a long enough prefix the one with the lowest load factor, else the least loaded.

After F. Fang et al., "PlanetServe" (NSDI '26; first "GenTorrent", arXiv 2504.20101), overlay forwarding: a request goes
to a member of the HR-tree's node when the match is at least τ deep and its reputation is above a threshold; among
several the lowest F = L·Q/C decides, L the member's recent latency, Q its queue, C its capacity. Their released code
(github.com/fffeifang/PlanetServe, eval/hrt+lb/HashRadixTree) has τ = 10 chunks of 10 tokens and capacity in requests at
a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.forwarding.members import Member
from engine.forwarding.policies.candidates import candidates, lowest, outstanding, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random


@dataclass(slots=True)
class PlanetServe:
    """Depth first, then F. The paper gives the entry node no news of load but these three numbers."""

    name: ClassVar[str] = "planetserve"
    chunk_tokens: int = 10
    depth: int = 10  # τ, in chunks
    reputation: float = 0.4  # of who may be chosen for its cache

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The holder with the lowest load factor, or the member with the lowest one."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        cached = group.cached(asked)
        least = max(self.depth * self.chunk_tokens, 1)
        holders = [
            member
            for member in members
            if member.standing >= self.reputation and cached.get(member.node_id, 0) >= least
        ]
        return Choice(target=lowest(holders or members, load_factor, random).node_id)


def load_factor(member: Member) -> float:
    """F = L·Q/C: seconds times requests over requests at a time. Who was never measured has L = 0, and is tried."""
    return member.load.first_token_seconds * outstanding(member) / max(member.load.slots, 1)
