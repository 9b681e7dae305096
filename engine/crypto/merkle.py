"""Merkle trees with SHA-256 as RFC 9162 (section 2.1) has them: one root for many records, each shown by a short path.

A leaf is hashed with a leading 0, two children with a leading 1, so that no inner node passes for a leaf. The tree is
as its number of leaves says; whoever checks a path must know that number from a source that it trusts.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

HASH_LENGTH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Of no leaves at all."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The 32-byte root over the leaves in this order."""
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _next_level(level)
    return level[0] if level else EMPTY_ROOT


def inclusion_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from leaf ``index`` to the root, from below; ``IndexError`` if there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} of {len(leaves)}")
    level = [leaf_hash(leaf) for leaf in leaves]
    path = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level, index = _next_level(level), index // 2
    return tuple(path)


def is_included(root: bytes, size: int, leaf: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Whether the tree of ``size`` leaves with this root has ``leaf`` at ``index`` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = leaf_hash(leaf), size - 1
    for sibling in path:
        if last == 0:
            return False  # the path is longer than the tree is high
        if index % 2 or index == last:
            node = _inner(sibling, node)
            while index % 2 == 0 and index:  # levels at which this node has no sibling and moves up as it is
                index, last = index // 2, last // 2
        else:
            node = _inner(node, sibling)
        index, last = index // 2, last // 2
    return last == 0 and hmac.compare_digest(node, root)


def _next_level(level: list[bytes]) -> list[bytes]:
    """Pairs are joined; who has no sibling moves up as it is."""
    above = [_inner(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return above + level[len(level) - len(level) % 2 :]


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
