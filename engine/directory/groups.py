"""The nodes that serve one model together, as the directory lists them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from engine.directory.directory import Directory, DirectoryNode
from engine.ids import NodeId


def serves(node: DirectoryNode, digest: bytes) -> bool:
    """Whether it is listed with the model of this digest."""
    return any(model.digest == digest for model in node.descriptor.models)


def with_families(directory: Directory, nodes: Collection[NodeId]) -> frozenset[NodeId]:
    """These nodes and everybody who declares a family with one of them."""
    families = {found.descriptor.family for node in nodes if (found := directory.get(node)) is not None} - {""}
    if not families:
        return frozenset(nodes)
    return frozenset(nodes) | {node.node_id for node in directory.nodes() if node.descriptor.family in families}
