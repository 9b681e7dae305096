"""What all blocks so far say of how fast nodes read: the moments that count still, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
Place = tuple[NodeId, bytes]
"""A node, and the mark of a model."""
ByMember = Mapping[bytes, tuple[Moment, ...]]
Slower = dict[NodeId, tuple[tuple[bytes, int], ...]]


@dataclass(frozen=True, slots=True)
class Speeds:
    """``moments``: by node and model, by member, oldest first; ``slower``: who reads slower than it says, as
    ``NodeStanding`` has it."""

    moments: Mapping[Place, ByMember] = field(default_factory=lambda: MappingProxyType({}))
    slower: Mapping[NodeId, tuple[tuple[bytes, int], ...]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, node: NodeId, model: bytes, member: bytes) -> tuple[Moment, ...]:
        """What a member has measured of a node's model (its digest)."""
        return self.moments.get((node, model[:MARK_BYTES]), {}).get(member, ())


NOTHING_MEASURED = Speeds()


def speeds_after(
    before: Speeds, reports: Sequence[SpeedReport], members: Sequence[bytes], oldest: int, *, changed: bool = False
) -> Speeds:
    """After one block with these reports, of which no moment before epoch ``oldest`` counts. ``members`` are the
    committee from then on, which has ``changed``: words of others count no more."""
    found: dict[Place, dict[bytes, tuple[Moment, ...]]] = {
        place: dict(by_member) for place, by_member in before.moments.items()
    }
    touched = _without_old(found, oldest, frozenset(members) if changed else None)
    if changed:
        touched.update(found)  # another committee may need other numbers of words
    for report in reports:
        for one in report.measured:
            place = (NodeId(one.node), one.model)
            kept = found.setdefault(place, {})
            kept[report.member] = (*kept.get(report.member, ()), moment_of(report.epoch, one))[-KEPT:]
            touched.add(place)
    touched |= _forget_most(found)
    if not touched:
        return before
    slower = _slower_after(before, found, touched, members)
    moments = {place: MappingProxyType(by_member) for place, by_member in found.items() if by_member}
    return Speeds(MappingProxyType(moments), MappingProxyType(slower))


def slower_of(moments: Mapping[Place, ByMember], members: Sequence[bytes]) -> Slower:
    """Everybody who reads slower than it says, by these moments."""
    found: dict[NodeId, list[tuple[bytes, int]]] = {}
    for (node, model), by_member in sorted(moments.items()):
        rate = agreed_rate(by_member, faulty(len(members)))
        if rate is not None:
            found.setdefault(node, []).append((model, rate))
    return {node: tuple(rates[:MAX_SLOWER]) for node, rates in found.items()}


def _slower_after(
    before: Speeds, moments: Mapping[Place, ByMember], touched: Iterable[Place], members: Sequence[bytes]
) -> Slower:
    nodes = {node for node, _ in touched}
    again = {place: by_member for place, by_member in moments.items() if place[0] in nodes}
    slower = {node: rates for node, rates in before.slower.items() if node not in nodes}
    return slower | slower_of(again, members)


def _without_old(
    found: dict[Place, dict[bytes, tuple[Moment, ...]]], oldest: int, members: frozenset[bytes] | None
) -> set[Place]:
    """Leave out what counts no more; the places where there was such."""
    touched = set[Place]()
    for place, by_member in found.items():
        for member, moments in list(by_member.items()):
            if members is not None and member not in members:
                del by_member[member]
                touched.add(place)
            elif moments and moments[0].epoch < oldest:
                by_member[member] = tuple(one for one in moments if one.epoch >= oldest)
                touched.add(place)
                if not by_member[member]:
                    del by_member[member]
    return touched


def _forget_most(found: dict[Place, dict[bytes, tuple[Moment, ...]]]) -> set[Place]:
    """Where there are too many moments, leave out whole nodes; who was left out."""
    count = sum(len(moments) for by_member in found.values() for moments in by_member.values())
    if count <= MAX_MOMENTS:
        return set()
    order = sorted(found, key=lambda place: (max((m[-1].epoch for m in found[place].values()), default=-1), place))
    gone = set[Place]()
    for place in order:
        if count <= MAX_MOMENTS:
            break
        count -= sum(len(moments) for moments in found[place].values())
        found[place] = {}
        gone.add(place)
    return gone
