"""A group as a policy sees it (``engine.forwarding.policies.interface.Group``), and loads as workers report them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.ids import NodeId
from engine.inference.types import ModelInfo

MAX_SENT = 1_024
"""Requests sent to others that are remembered until their statements count them."""
UNKNOWN_ROUND_TRIP = 0.1
"""Seconds to a member that there is no link with (yet)."""


class GroupView:
    """The members at one moment; what is cached, of one prompt."""

    def __init__(self, myself: NodeId, members: Sequence[Member], cached: Mapping[NodeId, int]) -> None:
        self._myself = myself
        self._members = tuple(sorted(members, key=lambda member: member.node_id))
        self._by_id = {member.node_id: member for member in members}
        self._cached = cached

    @property
    def myself(self) -> NodeId:
        """See ``Group``."""
        return self._myself

    @property
    def members(self) -> Sequence[Member]:
        """See ``Group``."""
        return self._members

    def member(self, node_id: NodeId) -> Member | None:
        """See ``Group``."""
        return self._by_id.get(node_id)

    def among(self, node_ids: Collection[NodeId]) -> GroupView:
        """The same with these members and oneself only."""
        members = [one for one in self._members if one.node_id in node_ids or one.node_id == self._myself]
        kept = {one.node_id for one in members}
        return GroupView(self._myself, members, {name: held for name, held in self._cached.items() if name in kept})

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """See ``Group``."""
        return {node_id: min(tokens, asked.prompt_tokens) for node_id, tokens in self._cached.items()}


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    target: NodeId
    tokens: int
    output_tokens: int


class SentRequests:
    """What this machine has sent to others and they do not tell in their load yet."""

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque(maxlen=MAX_SENT)

    def add(self, target: NodeId, tokens: int, output_tokens: int, now: float) -> None:
        """A request went to ``target``: so many prompt tokens that it has to read, so many that it may write."""
        self._sent.append(_Sent(now, target, tokens, output_tokens))

    def since(self, target: NodeId, moment: float) -> tuple[int, int, int]:
        """Requests, their tokens to read and to write, sent there after ``moment``."""
        sent = [one for one in self._sent if one.target == target and one.at > moment]
        return len(sent), sum(one.tokens for one in sent), sum(one.output_tokens for one in sent)


def load_of(info: ModelInfo) -> Load:
    """A model's load as its worker reports it."""
    return Load(
        queue_tokens=info.queue_tokens,
        waiting=info.waiting,
        running=info.running,
        output_tokens=info.output_tokens,
        context_tokens=info.context_tokens,
        kv_free=info.kv_tokens_free,
        kv_total=info.kv_tokens_total,
        slots=max(1, info.slots),
        prefill_rate=info.prefill_rate,
        decode_rate=info.decode_rate,
        decode_rate_alone=info.decode_rate_alone or info.decode_rate,
        first_token_seconds=info.first_token_seconds,
    )
