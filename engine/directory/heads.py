"""Comparing what servers sign: two signed heads of one epoch prove that a server shows different directories.

A head is epoch, digest and signature of a snapshot (the link message ``DirectoryHash``). Neighbours and other servers
tell theirs, of whatever epoch; those of the last epochs are remembered, so that heads are compared also between
readers that never hold the same epoch at the same moment. A head whose signature does not hold says nothing, so no
neighbour can accuse a server falsely.
"""

from __future__ import annotations

import hashlib

from engine.crypto.identity import verify
from engine.directory.genesis import GenesisRecord
from engine.errors import DirectoryError, SignatureError
from engine.wire.link import DirectoryHash
from engine.wire.records import SignedSnapshot

PURPOSE = "snapshot"
MAXIMUM_HEADS = 512
"""Epochs whose heads are remembered."""
FURTHEST_AHEAD = 1_000_000
"""Epochs; nobody is further ahead, so a head that claims it would only push out the others."""

Proof = tuple[DirectoryHash, DirectoryHash]


def head_fields(epoch: int, digest: bytes) -> tuple[bytes, bytes]:
    """What the signature of a snapshot covers."""
    return epoch.to_bytes(8, "big"), digest


def head_of(signed: SignedSnapshot, epoch: int) -> DirectoryHash:
    """The head of a snapshot whose epoch is known."""
    digest = hashlib.sha256(signed.record).digest()
    return DirectoryHash(epoch=epoch, digest=digest, key=signed.key, signature=signed.signature)


def check_head(genesis: GenesisRecord, head: DirectoryHash) -> None:
    """:class:`DirectoryError` unless a server of this network signed this head."""
    if head.key not in genesis.genesis.server_keys:
        raise DirectoryError("The directory is signed by a key that the genesis file of this network does not name.")
    try:
        verify(head.key, PURPOSE, genesis.network_id, head.signature, *head_fields(head.epoch, head.digest))
    except SignatureError as error:
        raise DirectoryError(f"The directory is refused: {error}.") from error


class Heads:
    """The heads seen so far, the newest ``MAXIMUM_HEADS`` of them."""

    def __init__(self, genesis: GenesisRecord) -> None:
        self._genesis = genesis
        self._heads: dict[int, DirectoryHash] = {}
        self.held = 0
        """The epoch of the snapshot in use."""

    @property
    def newest(self) -> int:
        """The newest epoch that anybody has shown a signed head of."""
        return max(self._heads, default=0)

    def hold(self, head: DirectoryHash) -> Proof | None:
        """The reader uses this snapshot now (checked already). A proof if another one of its epoch was shown before."""
        self.held = head.epoch
        return self._note(head)

    def hear(self, head: DirectoryHash) -> Proof | None:
        """Somebody else shows this head. A proof if it contradicts one of ours; forged ones are ignored."""
        known = self._heads.get(head.epoch)
        if (known is not None and known.digest == head.digest) or head.epoch > self.held + FURTHEST_AHEAD:
            return None
        try:
            check_head(self._genesis, head)
        except DirectoryError:
            return None
        return self._note(head)

    def _note(self, head: DirectoryHash) -> Proof | None:
        known = self._heads.setdefault(head.epoch, head)
        while len(self._heads) > MAXIMUM_HEADS:
            del self._heads[min(self._heads)]
        return None if known.digest == head.digest else (known, head)
