"""Whole states of members' caches, in pieces: for who has missed more changes than anybody remembers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.forwarding.digests import DIGEST_BITS, Chunk, pack, unpack
from engine.ids import NodeId
from engine.wire.group import MAX_STATE_PIECE, GroupState

MAX_ASSEMBLIES = 32
ASSEMBLY_SECONDS = 10.0


def state_messages(
    model: bytes, author: NodeId, incarnation: int, sequence: int, chunks: Sequence[Chunk], bits: int = DIGEST_BITS
) -> list[GroupState]:
    """Everything that ``author`` holds as of its statement ``sequence``."""
    most = MAX_STATE_PIECE // (2 + bits // 8)
    parts = [chunks[at : at + most] for at in range(0, len(chunks), most)] or [chunks]
    return [
        GroupState(model, author, incarnation, sequence, piece, len(parts), pack(part, bits))
        for piece, part in enumerate(parts)
    ]


@dataclass(slots=True)
class _Assembly:
    peer: NodeId
    name: tuple[int, int, int]  # incarnation, sequence, pieces
    begun: float
    pieces: dict[int, tuple[Chunk, ...]] = field(default_factory=dict)


class Assemblies:
    """The states that are being put together, one of each member at most."""

    def __init__(self, most_chunks: int, bits: int = DIGEST_BITS) -> None:
        """``most_chunks``: of one member."""
        self._most = most_chunks
        self._bits = bits
        self._open: dict[NodeId, _Assembly] = {}

    def take(self, peer: NodeId, message: GroupState, now: float) -> list[Chunk] | None:
        """A piece came from ``peer``; everything, once it is there. :class:`WireError` for what is no piece."""
        chunks = unpack(message.chunks, self._bits)
        author, name = NodeId(message.author), (message.incarnation, message.sequence, message.pieces)
        self._open = {who: one for who, one in self._open.items() if now < one.begun + ASSEMBLY_SECONDS}
        assembly = self._open.get(author)
        if assembly is None or assembly.name != name or assembly.peer != peer:
            if author not in self._open and len(self._open) >= MAX_ASSEMBLIES:
                return None
            assembly = self._open[author] = _Assembly(peer, name, now)
        if message.piece < message.pieces:
            assembly.pieces[message.piece] = chunks
        if sum(len(part) for part in assembly.pieces.values()) > self._most:
            del self._open[author]
            return None
        if len(assembly.pieces) < message.pieces:
            return None
        del self._open[author]
        return [chunk for piece in sorted(assembly.pieces) for chunk in assembly.pieces[piece]]
