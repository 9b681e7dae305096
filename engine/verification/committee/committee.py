"""Who decides on one height, and what they sign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engine.crypto.identity import Identity, verify
from engine.errors import SignatureError
from engine.verification import members as arithmetic
from engine.verification.contradictions import PROPOSAL_PURPOSE
from engine.verification.quorums import VOTE_PURPOSE, Check
from engine.wire.blocks import Proposal, Vote
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

NO_BLOCK = b""
"""The digest of a vote for none."""


@dataclass(frozen=True)
class Committee:
    """The members that decide on the block after the one with this VRF ``output``."""

    network_id: bytes
    members: tuple[bytes, ...]
    output: bytes

    @property
    def faulty(self) -> int:
        """f: so many may lie, be silent or dead."""
        return arithmetic.faulty(len(self.members))

    @property
    def quorum(self) -> int:
        """So many decide."""
        return arithmetic.quorum(len(self.members))

    @cached_property
    def _indices(self) -> dict[bytes, int]:
        return {key: index for index, key in enumerate(self.members)}

    @cached_property
    def _leaders(self) -> dict[int, int]:
        return {}

    def index(self, key: bytes) -> int | None:
        """The place of a member in the list of keys; None for others."""
        return self._indices.get(key)

    def leader(self, round_number: int) -> int:
        """Who leads a round of this height."""
        found = self._leaders.get(round_number)
        if found is None:
            if len(self._leaders) >= 1024:
                self._leaders.clear()
            found = self._indices[arithmetic.leader(self.members, self.output, round_number)]
            self._leaders[round_number] = found
        return found


def sign(identity: Identity, network_id: bytes, record: Proposal | Vote) -> SignedRecord:
    """The record with its member's signature."""
    data = encode(record)
    return SignedRecord(data, identity.public_key, identity.sign(_purpose(record), network_id, data))


def is_signed(item: SignedRecord, record: Proposal | Vote, network_id: bytes, check: Check = verify) -> bool:
    """Whether the signature of ``item``, which holds ``record``, is that of its key."""
    try:
        check(item.key, _purpose(record), network_id, item.signature, item.record)
    except SignatureError:
        return False
    return True


def _purpose(record: Proposal | Vote) -> str:
    return PROPOSAL_PURPOSE if isinstance(record, Proposal) else VOTE_PURPOSE
