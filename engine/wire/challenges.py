"""What verifiers promise, ask and find, and the scores that follow (numbers 121 to 128, 160 to 164).

The course of an epoch is told in docs/verification.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.answer import ChatMessage, Sampling, Text
from engine.wire.codec import Decoder, Id20, Key32, Message, Signature, UInt16, UInt32, UInt53
from engine.wire.signed import MAX_RECORD, SignedRecord

MAX_KIN = 64
"""Nodes of a verifier's own family that its commitment names."""
MAX_OUTPUT = 1024
"""Tokens of an answer that evidence shows."""
MIN_REPORTS, MAX_REPORTS = 3, 9
"""Nodes that have scored one answer for verifiers that cannot."""
BROKEN_OFF = frozenset({"cut_off", "unsigned"})
"""Reasons of :class:`Unanswered` that are the node's: words came, and not enough that it has signed for."""
MAX_MEASURED = 32
"""Nodes whose reading one verifier has timed in one epoch."""
Proof = Annotated[bytes, Meta(min_length=80, max_length=80)]
"""ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381): gamma, c, s."""
Millionths = Annotated[int, Meta(ge=0, le=1_000_000)]
Thousandths = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
KinId = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""The first bytes of a node id."""
ModelMark = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""The first bytes of a model's digest."""


class ChallengeTurn(Message, frozen=True, tag=121):
    """One question of a challenge, the seed of the answer to it, and how many tokens of that are judged: so many are
    read at least, if the answer has them."""

    text: Text
    seed: UInt53
    read: Annotated[int, Meta(ge=1, le=MAX_OUTPUT)] = MAX_OUTPUT


class PlannedChallenge(Message, frozen=True, tag=122):
    """A conversation that ``member`` will have with ``node``. ``nonce`` keeps its digest from being guessed; the seed
    of ``sampling`` is 0 here, each turn has its own. ``plain``: no conversation, but a text that the node shall go on
    with as it stands (the request's ``prompt``): the first turn's, then answers and what later turns add behind them.
    There is no system prompt then. ``may_forward``: whether the node may pass the question on. The id of each turn's
    request follows from the challenge."""

    nonce: Key32
    epoch: UInt53
    member: Key32
    node: Id20
    model_id: Annotated[str, Meta(min_length=1, max_length=200)]
    model_digest: Key32
    system: Text
    turns: Annotated[tuple[ChallengeTurn, ...], Meta(min_length=1, max_length=8)]
    sampling: Sampling
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)]
    min_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    plain: bool = False
    may_forward: bool = False


class ChallengeCommitment(Message, frozen=True, tag=123):
    """What a verifier will ask in ``epoch``: the Merkle root over the digests of its encoded challenges, signed before
    the epoch begins (purpose ``challenge-commitment``). ``kin``: who is of its own family, whom it does not judge."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    root: Key32
    count: UInt16
    kin: Annotated[tuple[KinId, ...], Meta(max_length=MAX_KIN)] = ()


class Evidence(Message, frozen=True, tag=124):
    """A challenge's turn, opened: what was asked and what a node signed for (purpose ``challenge-evidence``).
    ``index`` and ``path`` lead from the challenge to the committed root; ``request`` holds no secrets;
    ``receipt`` and ``receipt_signature`` are the node's."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    challenge: Annotated[bytes, Meta(max_length=20_000)]
    index: UInt16
    path: Annotated[tuple[Key32, ...], Meta(max_length=16)]
    turn: Annotated[int, Meta(ge=0, le=7)]
    receipt: Annotated[bytes, Meta(max_length=4096)]
    receipt_signature: Signature
    key: Key32  # of the receipt's commitments
    request: Annotated[bytes, Meta(max_length=28_000)]
    output_ids: Annotated[tuple[Annotated[int, Meta(ge=0, le=0x7FFF_FFFF)], ...], Meta(max_length=MAX_OUTPUT)]


class Unanswered(Message, frozen=True, tag=125):
    """A challenge that brought no receipt, opened so that everybody sees that it was not forgotten (purpose
    ``challenge-unanswered``). ``reason`` is an error code; one of :data:`BROKEN_OFF` says that the node had begun to
    answer, and may come beside evidence of earlier turns."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    challenge: Annotated[bytes, Meta(max_length=20_000)]
    index: UInt16
    path: Annotated[tuple[Key32, ...], Meta(max_length=16)]
    reason: Annotated[str, Meta(max_length=100)]


class Duties(Message, frozen=True, tag=126):
    """After an epoch: the proof of what its member had to check in it (purpose ``duties``)."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    proof: Proof


class Score(Message, frozen=True, tag=127):
    """What a computation with the reference model says of one answer. ``likelihood``: thousandths of a natural
    logarithm, positive where cheating explains the tokens better than honest noise; ``credit``: the published score
    1/PPL; ``verdict``: 0 inconclusive, 1 pass, 2 fail."""

    tokens: UInt32
    likelihood: Thousandths
    credit: Millionths
    verdict: Annotated[int, Meta(ge=0, le=2)]


class Attestation(Message, frozen=True, tag=128):
    """A member has computed the score of an evidence record (named by its SHA-256) itself, with the model of this
    digest, or has seen what drawn nodes have computed with it (purpose ``score``)."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    evidence: Key32
    node: Id20  # the signer of the receipt: whom it hits
    model: Key32  # counts only where it is the one that the answer was asked of
    score: Score


class Transcript(Message, frozen=True, tag=160):
    """What nodes are asked to score where verifiers cannot, named by the SHA-256 of its bytes: a request as far as it
    shapes the answer, the answer's tokens, and the signed commitment of the prompt with its key. Who answered is not in
    it."""

    network_id: Key32
    model_id: Annotated[str, Meta(min_length=1, max_length=200)]
    model_digest: Key32
    messages: Annotated[tuple[ChatMessage, ...], Meta(max_length=2048)]
    prompt: Text
    sampling: Sampling
    min_tokens: Annotated[int, Meta(ge=0, le=1_000_000)]
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)]
    output_ids: Annotated[tuple[Annotated[int, Meta(ge=0, le=0x7FFF_FFFF)], ...], Meta(max_length=MAX_OUTPUT)]
    key: Key32
    prompt_commitment: Key32


class ScoreReport(Message, frozen=True, tag=161):
    """A model node has computed the score of a :class:`Transcript` (named by its SHA-256) itself (purpose
    ``score-report``, signed with ``node_key``)."""

    network_id: Key32
    node_key: Key32
    transcript: Key32
    score: Score


class Scoring(Message, frozen=True, tag=162):
    """The author of an evidence record has had its answer scored by drawn nodes (purpose ``scoring``). ``reports``:
    each a signed :class:`ScoreReport`, in the order in which their nodes are drawn."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    evidence: Key32
    reports: Annotated[tuple[SignedRecord, ...], Meta(min_length=MIN_REPORTS, max_length=MAX_REPORTS)]


class SpeedMeasured(Message, frozen=True, tag=164):
    """How long a node took to read one long prompt, beside what its descriptor claimed then (``claimed``: tokens a
    second). ``tokens``: how many more it had to read than for the short questions before; ``short_ms`` and ``long_ms``:
    until the first token of the fastest of these, and of the long one; ``waited_ms``: for how long the node said that
    it did other things meanwhile."""

    node: Id20
    model: ModelMark
    claimed: Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
    tokens: Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
    short_ms: UInt32
    long_ms: UInt32
    waited_ms: UInt32


class SpeedReport(Message, frozen=True, tag=163):
    """After an epoch: whose reading its member has timed in it, in the order of nodes and models, each once (purpose
    ``speeds``)."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    measured: Annotated[tuple[SpeedMeasured, ...], Meta(min_length=1, max_length=MAX_MEASURED)]


challenge_decoder: Decoder[PlannedChallenge] = Decoder(PlannedChallenge, MAX_RECORD)
score_report_decoder: Decoder[ScoreReport] = Decoder(ScoreReport)
