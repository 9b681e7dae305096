"""Names of prompt prefixes: chained digests of public tokens, keyed by the model and its tokenizer. Pure.

A prefix of b blocks has one digest, whoever computes it: the member whose cache holds it, or who asks. The digest of a
block covers the one before it, so it names everything from the first token on. What crosses the network is a *chunk*:
how many blocks the prefix has, and the first bits of its digest.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NewType

from engine.errors import WireError

BLOCK_TOKENS = 32
"""Tokens of one block: the unit in which caches share, evict and tell."""
DIGEST_BITS = 64
"""Of a digest in a chunk. A prompt of d blocks meets one of 10^6 stored chunks by chance with d · 10^6 / 2^64, that is
6·10^-11 for d = 1,024; with the 8 bits of arXiv 2504.20101 it nearly always does."""
PUBLISHED_BITS = 8
"""Of the published scheme, for comparison."""
MAX_DEPTH = 0xFFFF
"""Blocks of the longest prefix that has a name."""
_DEPTH_BYTES = 2
_IDS = struct.Struct(f"<{BLOCK_TOKENS}I")

Chunk = NewType("Chunk", int)
"""A prefix by its end: depth in blocks (16 bits), then the digest's first bits."""


def root_digest(model_digest: bytes, tokenizer_digest: bytes) -> bytes:
    """32 bytes: the digest of no blocks, different for every model and tokenizer."""
    fields = (len(one).to_bytes(2, "big") + one for one in (model_digest, tokenizer_digest))
    return sha256(b"gentorrent/prefix-cache/v1" + b"".join(fields)).digest()


def next_digest(digest: bytes, ids: Sequence[int]) -> bytes:
    """32 bytes: the digest of the prefix ``digest`` with one more block of ``BLOCK_TOKENS`` ids (unsigned, 32 bits)."""
    return sha256(digest + _IDS.pack(*ids)).digest()


def prefix_digests(root: bytes, ids: Sequence[int], public_tokens: int) -> tuple[bytes, ...]:
    """The digests of all whole blocks among the first ``public_tokens`` ids, shortest prefix first."""
    digests = []
    digest = root
    blocks = min(public_tokens, len(ids)) // BLOCK_TOKENS
    for begin in range(0, min(blocks, MAX_DEPTH) * BLOCK_TOKENS, BLOCK_TOKENS):
        digest = next_digest(digest, ids[begin : begin + BLOCK_TOKENS])
        digests.append(digest)
    return tuple(digests)


def chunk_of(depth: int, digest: bytes, bits: int = DIGEST_BITS) -> Chunk:
    """The name of a prefix of ``depth`` blocks; ``bits`` is a multiple of 8, at most 256."""
    return Chunk((depth << bits) | int.from_bytes(digest[: bits // 8], "big"))


def depth_of(chunk: Chunk, bits: int = DIGEST_BITS) -> int:
    """Blocks of the prefix."""
    return chunk >> bits


def chunks_of(digests: Iterable[bytes], bits: int = DIGEST_BITS) -> tuple[Chunk, ...]:
    """The names of a prompt's prefixes; place i has i + 1 blocks."""
    size = bits // 8
    from_bytes = int.from_bytes
    return tuple(Chunk((depth << bits) | from_bytes(one[:size], "big")) for depth, one in enumerate(digests, 1))


def pack(chunks: Iterable[Chunk], bits: int = DIGEST_BITS) -> bytes:
    """Each as 2 bytes of depth and the digest's ``bits``, big-endian."""
    size = _DEPTH_BYTES + bits // 8
    return b"".join(chunk.to_bytes(size, "big") for chunk in chunks)


def unpack(data: bytes, bits: int = DIGEST_BITS) -> tuple[Chunk, ...]:
    """The inverse; :class:`WireError` for what is cut off, has no depth, or stands there twice."""
    size = _DEPTH_BYTES + bits // 8
    if len(data) % size:
        raise WireError(f"{len(data)} bytes of chunks are no multiple of {size}")
    chunks = tuple(Chunk(int.from_bytes(data[at : at + size], "big")) for at in range(0, len(data), size))
    if len(set(chunks)) != len(chunks):
        raise WireError("a chunk is named twice")
    if any(chunk >> bits == 0 for chunk in chunks):
        raise WireError("a chunk has no blocks")
    return chunks


def set_digest(chunks: Iterable[Chunk], bits: int = DIGEST_BITS) -> bytes:
    """16 bytes: SHA-256 over the chunks in ascending order, so that anybody can pass a whole set on and the signature
    of whoever holds it covers every part."""
    return sha256(pack(sorted(chunks), bits)).digest()[:16]
