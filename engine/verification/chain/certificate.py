"""A certificate: a quorum of the committee has committed to a block."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.crypto.identity import verify
from engine.errors import SignatureError, VerificationError
from engine.verification.chain.block import RecordOf, check_block
from engine.verification.chain.state import ChainState
from engine.verification.members import quorum
from engine.wire.codec import encode
from engine.wire.verification import Certificate, CertifiedBlock, Vote

VOTE_PURPOSE = "committee-vote"


def check_certificate(
    certificate: Certificate, encoded: bytes, height: int, members: Sequence[bytes], network_id: bytes
) -> None:
    """Whether a quorum of these members (in the committee's order) precommitted to the encoded block of this height;
    :class:`VerificationError` if not."""
    digest = hashlib.sha256(encoded).digest()
    if certificate.digest != digest:
        raise VerificationError("The certificate is for another block.")
    if certificate.height != height:
        raise VerificationError(f"The certificate is for height {certificate.height}, the block has {height}.")
    places = [place for place, _ in certificate.signatures]
    if places != sorted(set(places)) or any(place >= len(members) for place in places):
        raise VerificationError("The certificate names members in disorder, twice, or such as there are none.")
    if not members or len(places) < quorum(len(members)):
        raise VerificationError(
            f"The certificate has {len(places)} signatures; a committee of {len(members)} needs {quorum(len(members))}."
        )
    vote = encode(Vote(network_id=network_id, height=height, round=certificate.round, precommit=True, digest=digest))
    for place, signature in certificate.signatures:
        try:
            verify(members[place], VOTE_PURPOSE, network_id, signature, vote)
        except SignatureError as error:
            raise VerificationError(f"The certificate's signature of member {place} does not hold.") from error


def check_certified(state: ChainState, certified: CertifiedBlock, *, record_of: RecordOf | None = None) -> ChainState:
    """The state after a block that the committee has agreed upon; :class:`VerificationError` says what does not hold.
    ``record_of``: see :func:`~engine.verification.chain.block.check_block`."""
    check_certificate(certified.certificate, certified.block, state.height + 1, state.members, state.network_id)
    return check_block(state, certified.block, record_of=record_of)
