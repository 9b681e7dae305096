"""A verifier's promise: one Merkle root over all challenges that it may need in an epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.crypto.merkle import inclusion_path, is_included, merkle_root
from engine.wire.challenges import ChallengeCommitment

MAX_CHALLENGES = 0xFFFF


class CommittedChallenges:
    """The encoded challenges of one member and epoch, in the order of their commitment. It keeps their bytes."""

    def __init__(self, challenges: Sequence[bytes]) -> None:
        """1 to 65,535 of them."""
        if not 1 <= len(challenges) <= MAX_CHALLENGES:
            raise ValueError(f"{len(challenges)} challenges cannot be committed together")
        self.challenges = tuple(challenges)
        self._leaves = [leaf(challenge) for challenge in challenges]

    def commitment(
        self, network_id: bytes, epoch: int, member: bytes, kin: Sequence[bytes] = ()
    ) -> ChallengeCommitment:
        """What is signed before the epoch. ``kin``: beginnings of the ids of nodes of the member's own family."""
        return ChallengeCommitment(
            network_id=network_id,
            epoch=epoch,
            member=member,
            root=merkle_root(self._leaves),
            count=len(self._leaves),
            kin=tuple(kin),
        )

    def path(self, index: int) -> tuple[bytes, ...]:
        """From this challenge to the root."""
        return inclusion_path(self._leaves, index)


def leaf(challenge: bytes) -> bytes:
    """What stands in the tree for an encoded challenge: its SHA-256."""
    return hashlib.sha256(challenge).digest()


def is_committed(commitment: ChallengeCommitment, challenge: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Whether the encoded challenge is the one at ``index`` of those that were promised."""
    return is_included(commitment.root, commitment.count, leaf(challenge), index, path)
