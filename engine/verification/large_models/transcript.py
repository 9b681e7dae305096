"""What a drawn node is asked to score, and what it signs of it. Who made the answer is in neither."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.crypto.identity import Identity, node_id_of, verify
from engine.errors import SignatureError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.challenges.opening import OpenedEvidence
from engine.wire.answer import Request
from engine.wire.challenges import Score, ScoreReport, Transcript, score_report_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

PURPOSE = "score-report"
KEY_LENGTH = 32


def wants_score(request: Request) -> bool:
    """Whether a request asks for a score and not for an answer."""
    return bool(request.score_key or request.prompt_commitment)


def transcript_of(
    request: Request, output_ids: Sequence[int], key: bytes, prompt_commitment: bytes, network_id: bytes
) -> bytes:
    """SHA-256 of the transcript that is scored: the request's words and settings and the answer's tokens."""
    transcript = Transcript(
        network_id=network_id,
        model_id=request.model_id,
        model_digest=request.model_digest,
        messages=request.messages,
        prompt=request.prompt,
        sampling=request.sampling,
        min_tokens=request.min_tokens,
        max_tokens=request.max_tokens,
        output_ids=tuple(output_ids),
        key=key,
        prompt_commitment=prompt_commitment,
    )
    return hashlib.sha256(encode(transcript)).digest()


def transcript_of_evidence(opened: OpenedEvidence, network_id: bytes) -> bytes:
    """The same for the answer that evidence shows."""
    evidence, commitment = opened.evidence, opened.receipt.prompt_commitment
    return transcript_of(opened.request, opened.output_ids, evidence.key, commitment, network_id)


def sign_report(identity: Identity, network_id: bytes, transcript: bytes, score: Score) -> SignedRecord:
    """What a node says it has computed."""
    report = ScoreReport(network_id=network_id, node_key=identity.public_key, transcript=transcript, score=score)
    record = encode(report)
    return SignedRecord(record=record, key=identity.public_key, signature=identity.sign(PURPOSE, network_id, record))


def open_report(signed: SignedRecord, network_id: bytes) -> tuple[NodeId, ScoreReport]:
    """Who has signed a report, and the report; :class:`VerificationError` says what is wrong with it."""
    try:
        report = score_report_decoder.decode(signed.record)
    except WireError as error:
        raise VerificationError(f"A scorer's report cannot be read: {error}.") from error
    if report.network_id != network_id:
        raise VerificationError("A scorer's report belongs to another network.")
    if report.node_key != signed.key:
        raise VerificationError("A scorer's report is signed by another key than that of the node it names.")
    try:
        verify(signed.key, PURPOSE, network_id, signed.signature, signed.record)
    except SignatureError as error:
        raise VerificationError("A scorer's report is not what its node signed: the signature does not fit.") from error
    return node_id_of(signed.key), report
