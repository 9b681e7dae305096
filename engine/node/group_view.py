"""A group as a policy sees it (``engine.forwarding.policies.interface.Group``), and loads as workers report them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.usual import usual_of, within_reason
from engine.ids import NodeId
from engine.inference.types import ModelInfo
from engine.node.uncounted import Work

MAX_SENT = 1_024
"""Requests sent to one member that are remembered until its statements count them."""
MAX_MEMBERS = 4_096
"""Members of whom something is remembered."""
UNKNOWN_ROUND_TRIP = 0.1
"""Seconds to a member that there is no link with (yet)."""
_NOTHING = Work()


class GroupView:
    """The members at one moment, whose claims count within reason; what is cached, of one prompt."""

    def __init__(self, myself: NodeId, members: Sequence[Member], cached: Mapping[NodeId, int]) -> None:
        usual = usual_of(members, myself)
        self._myself = myself
        self._members = tuple(
            sorted((within_reason(member, usual) for member in members), key=lambda member: member.node_id)
        )
        self._by_id = {member.node_id: member for member in self._members}
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


class _Sent(NamedTuple):
    arrives: float
    tokens: int
    output_tokens: int


class SentRequests:
    """What this machine has sent to others and they do not tell in their load yet: what had not arrived there when they
    made their last statement. ``way``: seconds there, half the round trip."""

    def __init__(self) -> None:
        self._sent: dict[NodeId, deque[_Sent]] = {}
        self._made: dict[NodeId, tuple[float, float]] = {}

    def add(self, target: NodeId, tokens: int, output_tokens: int, now: float, way: float) -> None:
        """A request goes to ``target``: so many prompt tokens that it has to read, so many that it may write."""
        if target not in self._sent and len(self._sent) >= MAX_MEMBERS:
            del self._sent[next(iter(self._sent))]
        sent = self._sent.setdefault(target, deque(maxlen=MAX_SENT))
        sent.append(_Sent(now + way, tokens, output_tokens))

    def made(self, target: NodeId, heard: float, way: float) -> float:
        """When ``target`` made the statement of which ``GroupMachine.heard`` says ``heard``, which takes the quickest
        way there is for none. Of one statement it is the same whatever the round trip is by now."""
        known = self._made.get(target)
        if known is None or known[0] != heard:
            if known is None and len(self._made) >= MAX_MEMBERS:
                self._made.clear()
            known = self._made[target] = (heard, heard - way)
        return known[1]

    def since(self, target: NodeId, moment: float) -> Work:
        """What arrives there after ``moment``."""
        if target not in self._sent:
            return _NOTHING
        sent = [one for one in self._sent[target] if one.arrives > moment]
        if not sent:
            del self._sent[target]
        return Work(len(sent), sum(one.tokens for one in sent), sum(one.output_tokens for one in sent))


def load_of(info: ModelInfo, age: float = 0.0) -> Load:
    """A model's load as its worker reported it ``age`` seconds ago: it has read on since."""
    return Load(
        queue_tokens=max(0, info.queue_tokens - round(info.prefill_rate * age)),
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


def with_work(load: Load, work: Work) -> Load:
    """The same machine when ``work`` has come to it, too."""
    return replace(
        load,
        queue_tokens=load.queue_tokens + work.tokens,
        waiting=load.waiting + work.requests,
        output_tokens=load.output_tokens + work.output_tokens,
    )
