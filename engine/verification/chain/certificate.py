"""A certificate: a quorum of the committee has committed to a block."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.results import RecordOf
from engine.verification.chain.state import ChainState
from engine.verification.quorums import check_quorum
from engine.wire.blocks import Certificate, CertifiedBlock, Vote


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
    vote = Vote(network_id=network_id, height=height, round=certificate.round, precommit=True, digest=digest)
    check_quorum(network_id, members, vote, certificate.signatures)


def check_certified(state: ChainState, certified: CertifiedBlock, *, record_of: RecordOf | None = None) -> ChainState:
    """The state after a block that the committee has agreed upon; :class:`VerificationError` says what does not hold.
    ``record_of``: see :func:`~engine.verification.chain.block.check_block`."""
    check_certificate(certified.certificate, certified.block, state.height + 1, state.members, state.network_id)
    return check_block(state, certified.block, record_of=record_of)
