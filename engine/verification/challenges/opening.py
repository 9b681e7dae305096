"""What a verifier shows of a challenge, and whether it may be believed: planned before, asked as planned, signed for.

Whether the tokens are the model's is not looked at here; that takes the model (``engine.verification.scoring``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from engine.crypto.identity import node_id_of
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import ReceiptError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.challenges.commitment import is_committed
from engine.verification.challenges.duties import is_kin
from engine.verification.epochs import epoch_begins
from engine.verification.receipts import check_receipt, compare_output, compare_request, request_without_secrets
from engine.verification.signing import digest_of, open_record, verify_once
from engine.wire.answer import ChatMessage, Receipt, Request, Sampling, request_decoder
from engine.wire.challenges import (
    BROKEN_OFF,
    ChallengeCommitment,
    Evidence,
    PlannedChallenge,
    Unanswered,
    challenge_decoder,
)
from engine.wire.codec import encode
from engine.wire.records import Genesis
from engine.wire.signed import SignedRecord

CommitmentOf = Callable[[int, bytes], ChallengeCommitment | None]
"""Of an epoch and a member's key: what a certified block says that the member promised."""
MAX_CHALLENGE = 20_000
"""Bytes of an encoded challenge in evidence."""
_PLAIN = {
    "stop": (),
    "continue_tokens": (),
    "continue_characters": 0,
    "tools": "",
    "tool_choice": "",
    "constraint_kind": "",
    "constraint": "",
    "template_options": "",
    "attempt": 0,
    "top_logprobs": -1,
    "minimum_standing": 0.0,
    "public_messages": 0,
    "public_characters": 0,
    "parallel_tool_calls": True,
    "score_key": b"",
    "prompt_commitment": b"",
    "sample": b"",
}
"""What would shape an answer beyond the challenge's words and settings, or make another request of one turn."""
MOST_TEMPERATURE, MOST_REPETITION = 2.0, 1.5
"""Of a challenge's settings. A repetition penalty of 100 or 0.01 multiplies the noise of honest logits by a hundred."""
_ROLES = ("user", "assistant")
_REQUEST_NAME = b"gentorrent/challenge-request/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEvidence:
    """Evidence that holds. ``request`` is without secrets; ``receipt`` covers exactly ``evidence.output_ids``, of which
    the first ones are judged (:attr:`output_ids`)."""

    digest: bytes
    evidence: Evidence
    challenge: PlannedChallenge
    receipt: Receipt
    request: Request

    @property
    def asked(self) -> NodeId:
        """For whom the challenge was planned."""
        return NodeId(self.challenge.node)

    @property
    def node(self) -> NodeId:
        """Who signed, and so is judged."""
        return NodeId(self.receipt.node_id)

    @property
    def output_ids(self) -> tuple[int, ...]:
        """The tokens that are judged: the same, whichever of the answer's receipts is shown."""
        return self.evidence.output_ids[: self.challenge.turns[self.evidence.turn].read]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedUnanswered:
    """A challenge that brought nothing, and was planned."""

    digest: bytes
    unanswered: Unanswered
    challenge: PlannedChallenge

    @property
    def broken(self) -> bool:
        """Whether the node had begun to answer, and broke off."""
        return self.unanswered.reason in BROKEN_OFF

    @property
    def asked(self) -> NodeId:
        """For whom the challenge was planned."""
        return NodeId(self.challenge.node)


def open_evidence(
    signed: SignedRecord, genesis: Genesis, network_id: bytes, commitment_of: CommitmentOf
) -> OpenedEvidence:
    """Evidence that may be scored; :class:`VerificationError` says what is wrong with it."""
    evidence = open_record(signed, Evidence, network_id)
    challenge = _open_challenge(evidence, commitment_of)
    if evidence.turn >= len(challenge.turns):
        raise VerificationError(f"The challenge has no turn {evidence.turn}.")
    request = _open_request(evidence, challenge)
    receipt = _open_receipt(evidence, network_id)
    if receipt.node_id == node_id_of(evidence.member):
        raise VerificationError("A verifier cannot judge its own answer.")
    if is_kin(commitment_of(evidence.epoch, evidence.member), NodeId(receipt.node_id)):
        raise VerificationError("A verifier cannot judge an answer of its own family.")
    _check_signer(receipt, request, challenge)
    if not receipt.final and receipt.completion_tokens < challenge.turns[evidence.turn].read:
        raise VerificationError("The answer broke off before as many tokens as were to be judged.")
    _check_time(evidence.epoch, request, genesis)
    return OpenedEvidence(
        digest=digest_of(signed), evidence=evidence, challenge=challenge, receipt=receipt, request=request
    )


def open_unanswered(signed: SignedRecord, network_id: bytes, commitment_of: CommitmentOf) -> OpenedUnanswered:
    """A challenge that was planned and brought nothing; :class:`VerificationError` says what is wrong with it."""
    unanswered = open_record(signed, Unanswered, network_id)
    challenge = _open_challenge(unanswered, commitment_of)
    return OpenedUnanswered(digest=digest_of(signed), unanswered=unanswered, challenge=challenge)


def request_id_of(challenge: bytes, turn: int) -> bytes:
    """Of the one request that a turn of an encoded challenge makes, 16 bytes: a node takes it once, so of one promised
    turn there is one answer. Nobody who does not know the challenge's nonce can tell it from any other."""
    return hashlib.sha256(_REQUEST_NAME + hashlib.sha256(challenge).digest() + turn.to_bytes(2, "big")).digest()[:16]


def _check_signer(receipt: Receipt, request: Request, challenge: PlannedChallenge) -> None:
    """The node that was to be checked was asked, and has answered or has passed the question on."""
    if receipt.entry != challenge.node:
        raise VerificationError("Another node was asked than the one that was to be checked.")
    if receipt.node_id != challenge.node and not request.may_forward:
        raise VerificationError("The receipt is of another node than was asked, and the request forbade forwarding.")


def planned_messages(challenge: PlannedChallenge) -> tuple[ChatMessage, ...]:
    """What stands before the first answer: the system prompt, if there is one, and the first question."""
    system = (ChatMessage(role="system", content=challenge.system),) if challenge.system else ()
    return (*system, ChatMessage(role="user", content=challenge.turns[0].text))


def _open_challenge(record: Evidence | Unanswered, commitment_of: CommitmentOf) -> PlannedChallenge:
    commitment = commitment_of(record.epoch, record.member)
    if commitment is None:
        raise VerificationError(f"No block says what this member promised to ask in epoch {record.epoch}.")
    if not is_committed(commitment, record.challenge, record.index, record.path):
        raise VerificationError("The challenge is not the one that was promised before the epoch began.")
    try:
        challenge = challenge_decoder.decode(record.challenge)
    except WireError as error:
        raise VerificationError(f"The challenge cannot be read: {error}.") from error
    if challenge.epoch != record.epoch:
        raise VerificationError(f"The challenge was planned for epoch {challenge.epoch}, not {record.epoch}.")
    if challenge.member != record.member:
        raise VerificationError("The challenge was planned by another member.")
    _check_settings(challenge.sampling)
    return challenge


def _check_settings(sampling: Sampling) -> None:
    """Those for which the noise of honest machines was measured: with others a verifier could make them fail."""
    usual = msgspec.structs.replace(sampling, presence_penalty=0.0, frequency_penalty=0.0, logit_bias=())
    is_usual = sampling.temperature <= MOST_TEMPERATURE and 1.0 <= sampling.repetition_penalty <= MOST_REPETITION
    if sampling != usual or not is_usual:
        raise VerificationError("The challenge has settings in which honest answers differ from machine to machine.")


def _open_request(evidence: Evidence, challenge: PlannedChallenge) -> Request:
    try:
        request = request_decoder.decode(evidence.request)
        if request_without_secrets(evidence.request) != evidence.request:
            raise VerificationError("The request shows secrets that belong to its client alone.")
    except (WireError, ReceiptError) as error:
        raise VerificationError(f"The request cannot be read: {error}.") from error
    if (request.model_id, request.model_digest) != (challenge.model_id, challenge.model_digest):
        raise VerificationError("The request asks for another model than the challenge.")
    if request.request_id != request_id_of(evidence.challenge, evidence.turn):
        raise VerificationError("The request is not the one that follows from the challenge and the turn.")
    if request.may_forward and not challenge.may_forward:
        raise VerificationError("The request could be passed on, but the challenge forbids it.")
    seed = challenge.turns[evidence.turn].seed
    if request.sampling != msgspec.structs.replace(challenge.sampling, seed=seed):
        raise VerificationError("The request's sampling or seed is not that of the challenge.")
    if (request.min_tokens, request.max_tokens) != (challenge.min_tokens, challenge.max_tokens):
        raise VerificationError("The request allows another number of tokens than the challenge.")
    for name, usual in _PLAIN.items():
        if getattr(request, name) != usual:
            raise VerificationError(f"The request sets {name}, which no challenge does.")
    if challenge.plain:
        _check_plain(request, challenge, evidence.turn)
    elif request.prompt:
        raise VerificationError("The request sets prompt, but the challenge is a conversation.")
    elif not _is_conversation(request.messages, challenge, evidence.turn):
        raise VerificationError("The request's messages are not the conversation of the challenge up to this turn.")
    return request


def _check_plain(request: Request, challenge: PlannedChallenge, turn: int) -> None:
    if challenge.system:
        raise VerificationError("A text to go on with has no system prompt.")
    if request.messages or not _is_text(request.prompt, [one.text for one in challenge.turns[: turn + 1]]):
        raise VerificationError("The request's prompt is not the text of the challenge up to this turn.")


def _is_text(prompt: str, pieces: Sequence[str]) -> bool:
    """Whether the first piece and answers, which may be anything, each followed by the next piece, make up the text."""
    first, *later = pieces
    if not later or not prompt.startswith(first):
        return prompt == first
    place = len(first)
    for piece in later[:-1]:
        if (found := prompt.find(piece, place)) < 0:
            return False
        place = found + len(piece)
    return len(prompt) - place >= len(later[-1]) and prompt.endswith(later[-1])


def _is_conversation(messages: tuple[ChatMessage, ...], challenge: PlannedChallenge, turn: int) -> bool:
    """The system prompt, then question and answer in turn; answers may be anything, questions are the planned ones."""
    if challenge.system:
        if messages[:1] != (ChatMessage(role="system", content=challenge.system),):
            return False
        messages = messages[1:]
    if len(messages) != 2 * turn + 1:
        return False
    for number, message in enumerate(messages):
        plain = ChatMessage(role=message.role, content=message.content, reasoning=message.reasoning)
        if message.role != _ROLES[number % 2] or message != plain:
            return False
        if number % 2 == 0 and (message.content != challenge.turns[number // 2].text or message.reasoning):
            return False
    return True


def _open_receipt(evidence: Evidence, network_id: bytes) -> Receipt:
    try:
        receipt = check_receipt(evidence.receipt, evidence.receipt_signature, network_id, verify_once)
        found = compare_request(receipt, evidence.key, evidence.request)
    except ReceiptError as error:
        raise VerificationError(str(error)) from error
    if receipt.completion_tokens != len(evidence.output_ids):
        found.append(f"it covers {receipt.completion_tokens} tokens, the evidence shows {len(evidence.output_ids)}")
    else:
        found += compare_output(receipt, evidence.key, evidence.output_ids, 0)
    if found:
        raise VerificationError(f"The receipt does not match the evidence: {'; '.join(found)}.")
    return receipt


def _check_time(epoch: int, request: Request, genesis: Genesis) -> None:
    """A request of another time was not made for this check. That no older answer is shown for it follows from its id
    and its sealing, which the node has signed for. The receipt's own date is the node's word and decides nothing here:
    a wrong one would keep what it has signed from being judged."""
    begins = epoch_begins(genesis, epoch) - CLOCK_SKEW_SECONDS
    if not begins <= request.sealed_at <= begins + answers_within(genesis):
        raise VerificationError(f"The request was not made in epoch {epoch} or the one behind it.")


def answers_within(genesis: Genesis) -> float:
    """Seconds between the earliest and the latest sealing of one challenge's requests that would be believed. A node
    that remembers for so long, and as long as a request can start, which ones it has taken signs one answer to each
    promised turn."""
    return 2 * genesis.parameters.epoch_seconds + 2 * CLOCK_SKEW_SECONDS


def encoded_challenge(challenge: PlannedChallenge) -> bytes:
    """The bytes that are committed and shown; ``ValueError`` when they are too long to be shown."""
    encoded = encode(challenge)
    if len(encoded) > MAX_CHALLENGE:
        raise ValueError(f"a challenge of {len(encoded)} bytes cannot be shown in evidence")
    return encoded
