"""Directories of many relays with admissions and beacons, cheap to make: nothing is signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from engine.directory.beacons import Beacons
from engine.directory.descriptor import check_descriptor
from engine.directory.directory import Directory, DirectoryNode
from engine.ids import NodeId
from engine.wire.records import Parameters
from tests.support.records import NOW, descriptor, genesis, identity, seal_key, seeded, served_model

NETWORK = genesis().network_id
RELAY = check_descriptor(descriptor(identity(0), NETWORK), NETWORK, NOW)
MODEL_NODE = msgspec.structs.replace(
    RELAY, relay=False, onion_keys=(), models=(served_model(),), seal_keys=(seal_key(),)
)


def name(number: int) -> NodeId:
    return NodeId(hashlib.sha256(b"relay %d" % number).digest()[:20])


def beacons(newest: int, seed: int = 1) -> Beacons:
    """The values do not depend on how many there are."""
    source = seeded(seed)
    values = tuple(source(32) for _ in range(newest + 1))
    return Beacons(newest, values[-288:])


def relay(number: int, admission: int = 2, *, away: bool = False) -> DirectoryNode:
    prefix = f"10.{number % 65536}.0.0/16"
    return DirectoryNode(name(number), RELAY, prefix, int(NOW), int(NOW), 0.0, 1.0, away, admission)


def model_node(number: int) -> DirectoryNode:
    return DirectoryNode(name(number), MODEL_NODE, f"11.{number}.0.0/16", int(NOW), int(NOW), 0.0, 1.0)


def directory(
    nodes: Iterable[DirectoryNode], known: Beacons | None = None, parameters: Parameters | None = None
) -> Directory:
    """With a digest of its own for every content."""
    listed = list(nodes)
    known = known or beacons(5)
    content = repr([(node.node_id, node.admission, node.descriptor.relay) for node in listed]) + repr(known.newest)
    return Directory(
        listed,
        parameters=parameters or Parameters(),
        created=int(NOW),
        epoch=1,
        issued=int(NOW),
        digest=hashlib.sha256(content.encode()).digest(),
        beacons=known,
    )


def ring_network(count: int, *, away: Iterable[int] = (), parameters: Parameters | None = None) -> Directory:
    """``count`` admitted relays."""
    gone = set(away)
    return directory((relay(number, away=number in gone) for number in range(count)), parameters=parameters)


def by_number(known: Beacons) -> Mapping[int, bytes]:
    first = known.newest - len(known.values) + 1
    return {first + index: value for index, value in enumerate(known.values)}
