"""A quorum of signatures under one vote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from engine.crypto.identity import verify
from engine.errors import SignatureError, VerificationError
from engine.verification.members import quorum
from engine.wire.blocks import Vote
from engine.wire.codec import encode

VOTE_PURPOSE = "committee-vote"
Check = Callable[[bytes, str, bytes, bytes, bytes], None]
"""``engine.crypto.identity.verify`` with one field, or what stands for it in a simulation."""


def check_quorum(
    network_id: bytes,
    members: Sequence[bytes],
    vote: Vote,
    signatures: Sequence[tuple[int, bytes]],
    check: Check = verify,
) -> None:
    """``VerificationError`` unless ``signatures``, (index of the member, signature), are those of a quorum of
    different members (in the committee's order) under ``vote``, members ascending."""
    if not members or len(signatures) < quorum(len(members)):
        raise VerificationError(
            f"{len(signatures)} signatures are no quorum of {len(members)} members, which takes {quorum(len(members))}."
        )
    indices = [index for index, _ in signatures]
    if any(before >= after for before, after in pairwise(indices)) or indices[-1] >= len(members):
        raise VerificationError("The signatures are not in the order of their members, or one is of nobody.")
    record = encode(vote)
    for index, signature in signatures:
        try:
            check(members[index], VOTE_PURPOSE, network_id, signature, record)
        except SignatureError as error:
            raise VerificationError(f"The signature of member {index} is not its own.") from error
