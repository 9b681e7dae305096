"""Signing and opening the records of verification: each kind has one purpose, and names whose key must sign it."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from engine.crypto.identity import Identity, verify
from engine.errors import SignatureError, VerificationError, WireError
from engine.wire.codec import encode
from engine.wire.verification import (
    Attestation,
    ChallengeCommitment,
    CommitteeChange,
    Duties,
    Evidence,
    Scoring,
    SignedRecord,
    Unanswered,
    committee_record_decoder,
)

Judging = ChallengeCommitment | Evidence | Unanswered | Duties | Attestation | Scoring | CommitteeChange
"""What members say about nodes and themselves; each names its ``member``."""
PURPOSES: dict[type[Judging], str] = {
    ChallengeCommitment: "challenge-commitment",
    Evidence: "challenge-evidence",
    Unanswered: "challenge-unanswered",
    Duties: "duties",
    Attestation: "score",
    Scoring: "scoring",
    CommitteeChange: "committee-change",
}
NAMES: dict[type[Judging], str] = {
    ChallengeCommitment: "commitment",
    Evidence: "evidence",
    Unanswered: "record of an unanswered challenge",
    Duties: "record of duties",
    Attestation: "attestation",
    Scoring: "scoring",
    CommitteeChange: "change of the committee",
}
T = TypeVar("T", ChallengeCommitment, Evidence, Unanswered, Duties, Attestation, Scoring, CommitteeChange)


def sign_record(identity: Identity, record: Judging) -> SignedRecord:
    """The record with its member's signature; ``ValueError`` when it names another member."""
    if record.member != identity.public_key:
        raise ValueError("a record names the member that signs it")
    encoded = encode(record)
    signature = identity.sign(PURPOSES[type(record)], record.network_id, encoded)
    return SignedRecord(record=encoded, key=identity.public_key, signature=signature)


def open_record(signed: SignedRecord, kind: type[T], network_id: bytes) -> T:
    """The record of this kind that its member really signed for this network; else :class:`VerificationError`."""
    name = NAMES[kind]
    record = _decode(signed, name)
    if not isinstance(record, kind):
        raise VerificationError(f"A {type(record).__name__} stands where the {name} belongs.")
    if record.network_id != network_id:
        raise VerificationError(f"The {name} belongs to another network.")
    if record.member != signed.key:
        raise VerificationError(f"The {name} is signed by another key than that of the member it names.")
    try:
        verify(signed.key, PURPOSES[kind], network_id, signed.signature, signed.record)
    except SignatureError as error:
        raise VerificationError(f"The {name} is not what its member signed: the signature does not fit.") from error
    return record


def is_unanswered(signed: SignedRecord) -> bool:
    """Whether it says that a challenge brought nothing (its signature is not looked at)."""
    return isinstance(_decode(signed, "record of a challenge"), Unanswered)


def _decode(signed: SignedRecord, name: str) -> object:
    try:
        return committee_record_decoder.decode(signed.record)
    except WireError as error:
        raise VerificationError(f"The {name} cannot be read: {error}.") from error


def digest_of(signed: SignedRecord) -> bytes:
    """By which evidence is named: SHA-256 of the record's bytes."""
    return hashlib.sha256(signed.record).digest()
