"""A group of made-up members for tests of forwarding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.ids import NodeId

IDLE = Load(kv_free=100_000, kv_total=100_000, slots=16, prefill_rate=8_000, decode_rate=60, decode_rate_alone=60)


def node_id(index: int) -> NodeId:
    """The id of member ``index``."""
    return NodeId(index.to_bytes(20, "big"))


def member(index: int, load: Load = IDLE, *, heard: float = 0.0, **rest: Any) -> Member:
    """Member ``index``; what does not belong to ``Member`` belongs to its ``Load``."""
    own = {key: rest.pop(key) for key in list(rest) if key in Member.__dataclass_fields__}
    return Member(node_id=node_id(index), load=replace(load, **rest), heard=heard, **own)


class PretendedGroup:
    """What a policy may know, as the test says; ``cached``: tokens by index of the member."""

    def __init__(self, members: Iterable[Member], cached: Mapping[int, int] | None = None, myself: int = 0) -> None:
        self.myself = node_id(myself)
        self.members = tuple(members)
        self._by_id = {member.node_id: member for member in self.members}
        self._cached = {node_id(index): tokens for index, tokens in (cached or {}).items()}

    def member(self, node_id: NodeId) -> Member | None:
        """One of them."""
        return self._by_id.get(node_id)

    def cached(self, asked: Asked) -> Mapping[NodeId, int]:
        """The same for every request."""
        return self._cached
