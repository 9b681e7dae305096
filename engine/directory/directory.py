"""The directory as its readers see it: an immutable view of one verified snapshot and the away marks since."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.directory.beacons import NOT_ADMITTED, Beacons
from engine.ids import NodeId
from engine.wire.records import Descriptor, Parameters


@dataclass(frozen=True, slots=True)
class DirectoryNode:
    """One listed node: what it says of itself, and what the server attests beside it. Times in seconds since 1970."""

    node_id: NodeId
    descriptor: Descriptor
    prefix: str
    first_seen: int
    last_seen: int
    reputation: float
    availability: float
    away: bool = False
    admission: int = NOT_ADMITTED


class Directory:
    """An immutable view; ``with_away`` and a new snapshot make a new one.

    ``epoch`` and ``digest`` name the snapshot, ``issued`` is when it was signed, ``created`` when the network began,
    ``beacons`` are those that fix the places of relays. ``ended`` are the ids that were revoked or succeeded, of this
    snapshot and those before; ``successors`` says who has taken whose place lately.
    """

    def __init__(
        self,
        nodes: Iterable[DirectoryNode],
        *,
        parameters: Parameters,
        created: int,
        epoch: int,
        issued: int,
        digest: bytes,
        beacons: Beacons | None = None,
        ended: frozenset[NodeId] = frozenset(),
        successors: Mapping[NodeId, NodeId] = MappingProxyType({}),
    ) -> None:
        self._nodes: Mapping[NodeId, DirectoryNode] = {node.node_id: node for node in nodes}
        # Marks come many times a minute and concern few; the others are shared by all views of one snapshot.
        self._changed: dict[NodeId, DirectoryNode] = {}
        self._first_away = {name: node for name, node in self._nodes.items() if node.away}
        self.parameters = parameters
        self.created = created
        self.epoch = epoch
        self.issued = issued
        self.digest = digest
        self.beacons = beacons or Beacons()
        self._relays: tuple[DirectoryNode, ...] | None = None
        self._usable: tuple[float, float, tuple[DirectoryNode, ...]] = (0.0, 0.0, ())  # from, until when it holds
        self.ended = ended
        self.successors = successors

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node_id: NodeId) -> bool:
        return node_id in self._nodes

    def get(self, node_id: NodeId) -> DirectoryNode | None:
        """The listed node of this id, away or not; None if it is not listed."""
        return self._changed.get(node_id) or self._nodes.get(node_id)

    def nodes(self) -> list[DirectoryNode]:
        """Every listed node, away ones too, in the order of the snapshot."""
        if not self._changed:
            return list(self._nodes.values())
        return [self._changed.get(name, node) for name, node in self._nodes.items()]

    def relays(self) -> list[DirectoryNode]:
        """The relays that are not away, whether or not they have spare capacity."""
        if self._relays is None:
            self._relays = tuple(node for node in self.nodes() if node.descriptor.relay and not node.away)
        return list(self._relays)

    def usable_relays(self, now: float) -> tuple[DirectoryNode, ...]:
        """The relays that take new paths: not away, with spare capacity and an onion key that is good at ``now``
        (seconds since 1970). Computed anew only when a key has expired since."""
        since, until, usable = self._usable
        if not since <= now < until:
            keys = [(node, [key.expires for key in node.descriptor.onion_keys]) for node in self.relays()]
            usable = tuple(
                node
                for node, expiries in keys
                if node.descriptor.spare_capacity and any(expires > now for expires in expiries)
            )
            later = (expires for _, expiries in keys for expires in expiries if expires > now)
            self._usable = (now, min(later, default=math.inf), usable)
        return usable

    def model_nodes(self, model_id: str) -> list[DirectoryNode]:
        """The nodes that serve ``model_id`` and are not away."""
        return [
            node
            for node in self.nodes()
            if not node.away and any(model.model_id == model_id for model in node.descriptor.models)
        ]

    def models(self) -> list[str]:
        """The ids of all models that somebody serves who is not away, sorted."""
        return sorted({model.model_id for node in self.nodes() if not node.away for model in node.descriptor.models})

    def away(self) -> frozenset[NodeId]:
        """The listed nodes that are marked away."""
        return frozenset(node.node_id for node in self.nodes() if node.away)

    def newest(self, node_id: NodeId) -> NodeId:
        """Who stands in the place of ``node_id`` now: itself, or the last of those that have succeeded it."""
        seen = {node_id}
        while (successor := self.successors.get(node_id)) is not None and successor not in seen:
            seen.add(successor)
            node_id = successor
        return node_id

    def with_away(self, away: Iterable[NodeId]) -> Directory:
        """The same snapshot with exactly these nodes marked away; ids that are not listed are ignored."""
        marked = frozenset(away)
        view = copy(self)
        view._relays, view._usable = None, (0.0, 0.0, ())
        listed = {name: node for name in marked if (node := self._nodes.get(name)) is not None}
        view._changed = {name: replace(node, away=True) for name, node in listed.items() if not node.away}
        back = {name: node for name, node in self._first_away.items() if name not in marked}
        view._changed |= {name: replace(node, away=False) for name, node in back.items()}
        return view
