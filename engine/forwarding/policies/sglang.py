"""``sglang``: the cache-aware policy of the SGLang router (Model Gateway).

After its documentation (docs/advanced_features/sgl_model_gateway.md in sgl-project/sglang; defaults there and in
lightseekorg/smg, docs/getting-started/load-balancing.md: 0.3, 64 and 1.5): where load is out of balance by both
thresholds the shortest queue serves; else, with a match above the cache threshold, the member with the longest match;
else the member with the smallest tree. Load is the number of requests, a tree what this router has
put into it. Since sglang pull request 14650 the last resort
is the least load instead (``on_miss="load"``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from engine.errors import ConfigurationError
from engine.forwarding.members import Member
from engine.forwarding.policies.candidates import candidates, lowest, outstanding, refusal
from engine.forwarding.policies.interface import Asked, Choice, Group, Random
from engine.ids import NodeId


@dataclass(slots=True)
class SGLang:
    """Balance first, then the longest match, then the emptiest cache."""

    name: ClassVar[str] = "sglang"
    cache_threshold: float = 0.3  # of the prompt
    balance_absolute: int = 64  # requests between the fullest and the emptiest member
    balance_relative: float = 1.5  # times the emptiest one's
    on_miss: Literal["tree", "load"] = "tree"
    _trees: dict[NodeId, int] = field(default_factory=dict, init=False)  # tokens that this router has put into each

    def __post_init__(self) -> None:
        if self.on_miss not in ("tree", "load"):
            raise ConfigurationError(f"On a miss sglang goes by tree or by load, not by {self.on_miss!r}.")

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """The one that these rules name."""
        members = candidates(asked, group, random)
        if not members:
            return refusal(asked, group)
        cached = group.cached(asked)
        loads = [outstanding(member) for member in members]
        least, most = min(loads), max(loads)
        longest = lowest(members, lambda member: -cached.get(member.node_id, 0), random).node_id
        if most - least > self.balance_absolute and most > self.balance_relative * least:
            target = lowest(members, outstanding, random).node_id
        elif cached.get(longest, 0) > self.cache_threshold * asked.prompt_tokens:
            target = longest
        else:
            on_miss = self._tree_size if self.on_miss == "tree" else outstanding
            target = lowest(members, on_miss, random).node_id
        return self._inserted(target, asked.prompt_tokens - cached.get(target, 0), group)

    def _tree_size(self, member: Member) -> int:
        return self._trees.get(member.node_id, 0)

    def _inserted(self, target: NodeId, tokens: int, group: Group) -> Choice:
        self._trees[target] = self._trees.get(target, 0) + max(tokens, 0)
        if len(self._trees) > 2 * len(group.members):
            self._trees = {node_id: size for node_id, size in self._trees.items() if group.member(node_id) is not None}
        return Choice(target=target)
