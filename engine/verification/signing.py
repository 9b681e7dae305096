"""Signing and opening the records of verification: each kind has one purpose, and names whose key must sign it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TypeVar

from engine.crypto.identity import Identity, signed_bytes, verify
from engine.errors import ForgedRecordError, SignatureError, VerificationError, WireError
from engine.wire.blocks import CommitteeChange, committee_record_decoder
from engine.wire.challenges import Attestation, ChallengeCommitment, Duties, Evidence, Scoring, SpeedReport, Unanswered
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

Judging = ChallengeCommitment | Evidence | Unanswered | Duties | Attestation | Scoring | SpeedReport | CommitteeChange
"""What members say about nodes and themselves; each names its ``member``."""
PURPOSES: dict[type[Judging], str] = {
    ChallengeCommitment: "challenge-commitment",
    Evidence: "challenge-evidence",
    Unanswered: "challenge-unanswered",
    Duties: "duties",
    Attestation: "score",
    Scoring: "scoring",
    SpeedReport: "speeds",
    CommitteeChange: "committee-change",
}
NAMES: dict[type[Judging], str] = {
    ChallengeCommitment: "commitment",
    Evidence: "evidence",
    Unanswered: "record of an unanswered challenge",
    Duties: "record of duties",
    Attestation: "attestation",
    Scoring: "scoring",
    SpeedReport: "report of speeds",
    CommitteeChange: "change of the committee",
}
PASSED_ON = (ChallengeCommitment, Duties, Evidence, Unanswered, Attestation)
"""What members tell the others when they hear of it: what a block must not leave out."""
T = TypeVar("T", ChallengeCommitment, Evidence, Unanswered, Duties, Attestation, Scoring, SpeedReport, CommitteeChange)


REMEMBERED = 16_384
"""Signatures that were found to hold, some blocks' worth: 32 bytes of each are kept."""


class _Claim:
    """That a key has signed something; compared by its digest, so that what was signed need not be kept."""

    __slots__ = ("digest", "said")

    def __init__(self, key: bytes, purpose: str, network_id: bytes, signature: bytes, signed: bytes) -> None:
        self.digest = hashlib.sha256(signed_bytes(purpose, network_id, key, signature, signed)).digest()
        self.said: tuple[bytes, str, bytes, bytes, bytes] | None = (key, purpose, network_id, signature, signed)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Claim) and self.digest == other.digest


@lru_cache(maxsize=REMEMBERED)
def _check(claim: _Claim) -> None:
    """What raises is not remembered."""
    assert claim.said is not None
    verify(*claim.said)
    claim.said = None


def verify_once(key: bytes, purpose: str, network_id: bytes, signature: bytes, signed: bytes) -> None:
    """As ``engine.crypto.identity.verify`` for one field; whoever asks again soon is answered at once. A member meets
    each record when it comes, when a block with it is proposed and when that block is decided."""
    _check(_Claim(key, purpose, network_id, signature, signed))


def sign_record(identity: Identity, record: Judging) -> SignedRecord:
    """The record with its member's signature; ``ValueError`` when it names another member."""
    if record.member != identity.public_key:
        raise ValueError("a record names the member that signs it")
    encoded = encode(record)
    signature = identity.sign(PURPOSES[type(record)], record.network_id, encoded)
    return SignedRecord(record=encoded, key=identity.public_key, signature=signature)


def read_record(signed: SignedRecord, kind: type[T], network_id: bytes) -> T:
    """The record of this kind that names its signer, for this network, whoever has signed it: what costs nothing to
    see; :class:`VerificationError` where it is none."""
    name = NAMES[kind]
    record = _decode(signed, name)
    if not isinstance(record, kind):
        raise VerificationError(f"A {type(record).__name__} stands where the {name} belongs.")
    if record.network_id != network_id:
        raise VerificationError(f"The {name} belongs to another network.")
    if record.member != signed.key:
        raise VerificationError(f"The {name} is signed by another key than that of the member it names.")
    return record


def open_record(signed: SignedRecord, kind: type[T], network_id: bytes) -> T:
    """The record of this kind that its member really signed for this network; else :class:`VerificationError`."""
    name, record = NAMES[kind], read_record(signed, kind, network_id)
    try:
        verify_once(signed.key, PURPOSES[kind], network_id, signed.signature, signed.record)
    except SignatureError as error:
        raise ForgedRecordError(f"The {name} is not what its member signed: the signature does not fit.") from error
    return record


def is_unanswered(signed: SignedRecord) -> bool:
    """Whether it says that a challenge brought nothing (its signature is not looked at)."""
    return isinstance(_decode(signed, "record of a challenge"), Unanswered)


def is_commitment(signed: SignedRecord) -> bool:
    """Whether it promises challenges (its signature is not looked at)."""
    return _is(signed, ChallengeCommitment)


def is_passed_on(signed: SignedRecord) -> bool:
    """Whether members pass such records on (its signature is not looked at)."""
    return _is(signed, PASSED_ON)


def is_change(signed: SignedRecord) -> bool:
    """Whether it asks for another committee (its signature is not looked at)."""
    return _is(signed, CommitteeChange)


def _is(signed: SignedRecord, kind: type[Judging] | tuple[type[Judging], ...]) -> bool:
    try:
        return isinstance(committee_record_decoder.decode(signed.record), kind)
    except WireError:
        return False


def _decode(signed: SignedRecord, name: str) -> object:
    try:
        return committee_record_decoder.decode(signed.record)
    except WireError as error:
        raise VerificationError(f"The {name} cannot be read: {error}.") from error


def digest_of(signed: SignedRecord) -> bytes:
    """By which evidence is named: SHA-256 of the record's bytes."""
    return hashlib.sha256(signed.record).digest()
