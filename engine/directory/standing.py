"""What a listed node counts for where it depends on its reputation. Pure."""

from __future__ import annotations

from engine.directory.directory import DirectoryNode


def standing_of(node: DirectoryNode, *, committee: bool) -> float:
    """In [0, 1]. Where the genesis names no committee nobody judges, and every listed node has full standing."""
    return node.reputation if committee else 1.0
