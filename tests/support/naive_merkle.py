"""Merkle trees exactly as RFC 9162 defines them, recursively: what the fast ones are compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of section 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = split_of(len(leaves))
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return ()
    split = split_of(len(leaves))
    if index < split:
        return (*path_of(index, leaves[:split]), tree_hash(leaves[split:]))
    return (*path_of(index - split, leaves[split:]), tree_hash(leaves[:split]))


def split_of(count: int) -> int:
    """The largest power of two below ``count``."""
    return int(1 << (count - 1).bit_length() - 1)
