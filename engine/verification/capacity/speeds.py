"""What all blocks so far say of how fast nodes read: the moments that count still, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.ids import NodeId
from engine.verification.capacity.agreeing import KEPT, Moment, agreed_rate, moment_of
from engine.verification.members import faulty
from engine.wire.blocks import MAX_SLOWER
from engine.wire.challenges import SpeedReport

MARK_BYTES = 8
"""Of a model's digest, in records."""
MAX_MOMENTS = 200_000
"""Of all nodes; of more, those of nodes that were measured least recently are forgotten."""
MAX_MODELS = MAX_SLOWER
"""Of one node, of which a member's moments count: those that it has measured last."""
LOOKED_AT_ONCE = 64
"""Each block looks for old moments of one node in so many, so that no block has to look at all."""
ByMember = Mapping[bytes, tuple[Moment, ...]]
ByModel = Mapping[bytes, ByMember]
Slower = tuple[tuple[bytes, int], ...]
_Changing = dict[bytes, dict[bytes, tuple[Moment, ...]]]


@dataclass(frozen=True, slots=True)
class Speeds:
    """``moments``: by node, mark of a model, and member, oldest first; ``count``: how many these are; ``slower``: who
    reads slower than it says, as ``NodeStanding`` has it."""

    moments: Mapping[NodeId, ByModel] = field(default_factory=lambda: MappingProxyType({}))
    count: int = 0
    slower: Mapping[NodeId, Slower] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, node: NodeId, model: bytes, member: bytes) -> tuple[Moment, ...]:
        """What a member has measured of a node's model (its digest)."""
        return self.moments.get(node, {}).get(model[:MARK_BYTES], {}).get(member, ())


NOTHING_MEASURED = Speeds()


def speeds_of(moments: Mapping[NodeId, ByModel], members: Sequence[bytes]) -> Speeds:
    """All that follows from these."""
    slower = {node: rates for node, found in sorted(moments.items()) if (rates := _slower(found, members))}
    count = sum(map(_count, moments.values()))
    return Speeds(MappingProxyType(dict(moments)), count, MappingProxyType(slower))


def speeds_after(
    before: Speeds,
    height: int,
    reports: Sequence[SpeedReport],
    members: Sequence[bytes],
    oldest: int,
    *,
    changed: bool = False,
) -> Speeds:
    """After the block of this height with these reports. Moments before epoch ``oldest`` count no more once they have
    been looked for, at most :data:`LOOKED_AT_ONCE` blocks later. ``members`` are the committee from then on, which has
    ``changed``: words of others count no more."""
    told: dict[NodeId, list[tuple[bytes, bytes, Moment]]] = {}
    for report in reports:
        for one in report.measured:
            moment = moment_of(report.epoch, one)
            told.setdefault(NodeId(one.node), []).append((one.model, report.member, moment))
    turn = height % LOOKED_AT_ONCE
    due = [node for node in before.moments if changed or node[-1] % LOOKED_AT_ONCE == turn]
    looked = [node for node in due if changed or _is_old(before.moments[node], oldest)]
    if not told and not looked:
        return before
    moments, slower, count = dict(before.moments), dict(before.slower), before.count
    for node in dict.fromkeys([*looked, *told]):
        known = moments.pop(node, MappingProxyType({}))
        found = _of_node(known, told.get(node, ()), members if changed else None, oldest if node in looked else 0)
        count += _count(found) - _count(known)
        slower.pop(node, None)
        if found:
            moments[node] = found
            if rates := _slower(found, members):
                slower[node] = rates
    for node in _too_many(moments, count):
        count -= _count(moments.pop(node))
        slower.pop(node, None)
    return Speeds(MappingProxyType(moments), count, MappingProxyType(slower))


def _is_old(known: ByModel, oldest: int) -> bool:
    return any(moments[0].epoch < oldest for by_member in known.values() for moments in by_member.values())


def _of_node(
    known: ByModel, told: Sequence[tuple[bytes, bytes, Moment]], members: Sequence[bytes] | None, oldest: int
) -> ByModel:
    """What counts of a node, of these members (None: all) and since ``oldest``, with what is ``told`` now."""
    found: _Changing = {}
    for model, by_member in known.items():
        kept = {
            member: tuple(one for one in moments if one.epoch >= oldest)
            for member, moments in by_member.items()
            if members is None or member in members
        }
        found[model] = {member: moments for member, moments in kept.items() if moments}
    for model, member, moment in told:
        of_model = found.setdefault(model, {})
        of_model[member] = (*of_model.get(member, ()), moment)[-KEPT:]
        _forget_models(found, member)
    return MappingProxyType({model: MappingProxyType(one) for model, one in found.items() if one})


def _forget_models(found: _Changing, member: bytes) -> None:
    """Of what a member says of a node: so many models."""
    said = [model for model, by_member in found.items() if member in by_member]
    if len(said) > MAX_MODELS:
        least = min(said, key=lambda model: (found[model][member][-1].epoch, model))
        del found[least][member]


def _slower(found: ByModel, members: Sequence[bytes]) -> Slower:
    """With which of its models a node reads slower than it says, and how fast."""
    rates = ((model, agreed_rate(by_member, faulty(len(members)))) for model, by_member in sorted(found.items()))
    return tuple((model, rate) for model, rate in rates if rate is not None)[:MAX_SLOWER]


def _count(found: ByModel) -> int:
    return sum(len(moments) for by_member in found.values() for moments in by_member.values())


def _too_many(moments: Mapping[NodeId, ByModel], count: int) -> list[NodeId]:
    """Where there are more moments than can be kept: whom to leave out, so that an eighth of the room is free then."""
    if count <= MAX_MOMENTS:
        return []

    def newest(node: NodeId) -> tuple[int, NodeId]:
        return max(some[-1].epoch for by_member in moments[node].values() for some in by_member.values()), node

    gone = []
    for node in sorted(moments, key=newest):
        if count <= MAX_MOMENTS - MAX_MOMENTS // 8:
            break
        count -= _count(moments[node])
        gone.append(node)
    return gone
