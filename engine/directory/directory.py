"""The directory as its readers see it: an immutable view of one verified snapshot and the away marks since."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
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


_Relay = tuple[NodeId, DirectoryNode, float]


class _Listed:
    """The nodes of one snapshot as it lists them: shared by all views of it."""

    def __init__(self, nodes: Iterable[DirectoryNode]) -> None:
        self.nodes: Mapping[NodeId, DirectoryNode] = {node.node_id: node for node in nodes}

    @cached_property
    def away(self) -> Mapping[NodeId, DirectoryNode]:
        """Those that the snapshot itself shows as away."""
        return {name: node for name, node in self.nodes.items() if node.away}

    @cached_property
    def relays(self) -> tuple[_Relay, ...]:
        """Each relay with the time until which it takes new paths: when its last onion key expires."""
        return tuple(
            (name, node, _last_expiry(node.descriptor)) for name, node in self.nodes.items() if node.descriptor.relay
        )

    @cached_property
    def serving(self) -> tuple[NodeId, ...]:
        """The nodes that serve models."""
        return tuple(name for name, node in self.nodes.items() if node.descriptor.models)


def _last_expiry(descriptor: Descriptor) -> float:
    if not descriptor.spare_capacity:
        return 0.0
    return max((key.expires for key in descriptor.onion_keys), default=0.0)


class Directory:
    """An immutable view; ``with_away`` and a new snapshot make a new one.

    ``epoch`` and ``digest`` name the snapshot, ``issued`` is when it was signed, ``created`` when the network began,
    ``beacons`` are those that fix the places of relays. ``ended`` are the ids that were revoked or succeeded, of this
    snapshot and those before; ``successors`` says who has taken whose place lately. ``chain_height`` is that of the
    committee's newest block; 0: there is none.
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
        chain_height: int = 0,
    ) -> None:
        self._listed = _Listed(nodes)
        # Marks come many times a minute and concern few; the others are shared by all views of one snapshot.
        self._changed: dict[NodeId, DirectoryNode] = {}
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
        self.chain_height = chain_height

    def __len__(self) -> int:
        return len(self._listed.nodes)

    def __contains__(self, node_id: NodeId) -> bool:
        return node_id in self._listed.nodes

    def get(self, node_id: NodeId) -> DirectoryNode | None:
        """The listed node of this id, away or not; None if it is not listed."""
        return self._changed.get(node_id) or self._listed.nodes.get(node_id)

    def nodes(self) -> list[DirectoryNode]:
        """Every listed node, away ones too, in the order of the snapshot."""
        if not self._changed:
            return list(self._listed.nodes.values())
        return [self._changed.get(name, node) for name, node in self._listed.nodes.items()]

    def relays(self) -> list[DirectoryNode]:
        """The relays that are not away, whether or not they have spare capacity."""
        if self._relays is None:
            self._relays = tuple(node for _, node, _ in self._present_relays())
        return list(self._relays)

    def usable_relays(self, now: float) -> tuple[DirectoryNode, ...]:
        """The relays that take new paths: not away, with spare capacity and an onion key that is good at ``now``
        (seconds since 1970). Computed anew only when the last key of a relay has expired since."""
        since, until, usable = self._usable
        if not since <= now < until:
            found = [relay for relay in self._present_relays() if relay[2] > now]
            usable = tuple(node for _, node, _ in found)
            self._usable = (now, min((end for _, _, end in found), default=math.inf), usable)
        return usable

    def _present_relays(self) -> list[_Relay]:
        # Without a new object for each of thousands: the garbage collector's looking at them would cost most of it.
        changed = self._changed
        return [
            relay if relay[0] not in changed else (relay[0], changed[relay[0]], relay[2])
            for relay in self._listed.relays
            if not changed.get(relay[0], relay[1]).away
        ]

    def _present_serving(self) -> list[DirectoryNode]:
        found = (self._changed.get(name) or self._listed.nodes[name] for name in self._listed.serving)
        return [node for node in found if not node.away]

    def model_nodes(self, model_id: str) -> list[DirectoryNode]:
        """The nodes that serve ``model_id`` and are not away."""
        return [
            node
            for node in self._present_serving()
            if any(model.model_id == model_id for model in node.descriptor.models)
        ]

    def models(self) -> list[str]:
        """The ids of all models that somebody serves who is not away, sorted."""
        return sorted({model.model_id for node in self._present_serving() for model in node.descriptor.models})

    def away(self) -> frozenset[NodeId]:
        """The listed nodes that are marked away."""
        unchanged = self._listed.away.keys() - self._changed.keys()
        return frozenset(unchanged).union(name for name, node in self._changed.items() if node.away)

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
        listed = {name: node for name in marked if (node := self._listed.nodes.get(name)) is not None}
        view._changed = {name: self._marked(node) for name, node in listed.items() if not node.away}
        back = {name: node for name, node in self._listed.away.items() if name not in marked}
        view._changed |= {name: replace(node, away=False) for name, node in back.items()}
        return view

    def _marked(self, node: DirectoryNode) -> DirectoryNode:
        """Most marks hold since the last view."""
        known = self._changed.get(node.node_id)
        return known if known is not None and known.away else replace(node, away=True)
