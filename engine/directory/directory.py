"""The directory as its readers see it: an immutable view of one verified snapshot and the away marks since."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

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
    ``beacons`` are those that fix the places of relays.
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
    ) -> None:
        self._nodes: Mapping[NodeId, DirectoryNode] = {node.node_id: node for node in nodes}
        self.parameters = parameters
        self.created = created
        self.epoch = epoch
        self.issued = issued
        self.digest = digest
        self.beacons = beacons or Beacons()
        self._relays: tuple[DirectoryNode, ...] | None = None
        self._usable: tuple[float, float, tuple[DirectoryNode, ...]] = (0.0, 0.0, ())  # from, until when it holds

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node_id: NodeId) -> bool:
        return node_id in self._nodes

    def get(self, node_id: NodeId) -> DirectoryNode | None:
        """The listed node of this id, away or not; None if it is not listed."""
        return self._nodes.get(node_id)

    def nodes(self) -> list[DirectoryNode]:
        """Every listed node, away ones too, in the order of the snapshot."""
        return list(self._nodes.values())

    def relays(self) -> list[DirectoryNode]:
        """The relays that are not away, whether or not they have spare capacity."""
        if self._relays is None:
            self._relays = tuple(node for node in self._nodes.values() if node.descriptor.relay and not node.away)
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
            for node in self._nodes.values()
            if not node.away and any(model.model_id == model_id for model in node.descriptor.models)
        ]

    def models(self) -> list[str]:
        """The ids of all models that somebody serves who is not away, sorted."""
        return sorted({model.model_id for node in self.nodes() if not node.away for model in node.descriptor.models})

    def away(self) -> frozenset[NodeId]:
        """The listed nodes that are marked away."""
        return frozenset(node.node_id for node in self._nodes.values() if node.away)

    def with_away(self, away: Iterable[NodeId]) -> Directory:
        """The same snapshot with exactly these nodes marked away; ids that are not listed are ignored."""
        marked = frozenset(away)
        return Directory(
            (
                node if node.away == (node.node_id in marked) else replace(node, away=node.node_id in marked)
                for node in self._nodes.values()
            ),
            parameters=self.parameters,
            created=self.created,
            epoch=self.epoch,
            issued=self.issued,
            digest=self.digest,
            beacons=self.beacons,
        )
