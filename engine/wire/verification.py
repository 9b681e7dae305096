"""Records of verification: what verifiers ask and find, what the committee agrees on, what model nodes submit (numbers
120 to 164).

Each is signed over its exact bytes with the purpose that its description names, by the key that it names. Who may sign
it and what makes it valid is ``engine.verification``'s to say; the course of an epoch is in docs/verification.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.answer import ChatMessage, Sampling, Text
from engine.wire.codec import Decoder, Id16, Id20, Key32, Message, Signature, UInt8, UInt16, UInt32, UInt53

MAX_RECORD = 60_000
"""Bytes of one encoded record; with key and signature it fits a link's message."""
MAX_MEMBERS = 64
"""Of a committee."""
MAX_ENTRIES = 256
"""Judged answers in one block; what finds no place waits for the next. Its bytes end most blocks sooner: at about 170
answers with a committee of four, 105 with one of seven."""
MAX_KIN = 64
"""Nodes of a verifier's own family that its commitment names."""
MAX_CONTRADICTIONS, MAX_HIDDEN = 8, 16
"""In one block."""
MAX_CHANGES = 4
"""Members that come, and as many that go, by one change of the committee."""
MAX_CHANGES_SHOWN = 64
"""Blocks that changed the committee, at once."""
MAX_OUTPUT = 1024
"""Tokens of an answer that evidence shows."""
MAX_UNJUDGED = 64
"""Challenges in one block that brought nothing to judge."""
MIN_REPORTS, MAX_REPORTS = 3, 9
"""Nodes that have scored one answer for verifiers that cannot."""
MAX_MEASURED = 32
"""Nodes whose reading one verifier has timed in one epoch."""
MAX_SLOWER = 8
"""Models of one node that it was found to read slower than it says."""
Proof = Annotated[bytes, Meta(min_length=80, max_length=80)]
"""ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381): gamma, c, s."""
Millionths = Annotated[int, Meta(ge=0, le=1_000_000)]
Thousandths = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Index = Annotated[int, Meta(ge=0, le=MAX_MEMBERS - 1)]
"""Place of a member in the committee's list of keys."""
Round = Annotated[int, Meta(ge=0, le=0xFFFF)]
KinId = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""The first bytes of a node id."""
ModelMark = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""The first bytes of a model's digest."""
Bitmap = Annotated[bytes, Meta(max_length=MAX_MEMBERS // 8)]
"""One bit for each member."""


class SignedRecord(Message, frozen=True, tag=120):
    """A record's exact bytes with the key that signed them; ``engine.wire.records.Signed`` for longer ones."""

    record: Annotated[bytes, Meta(max_length=MAX_RECORD)]
    key: Key32
    signature: Signature


# ----------------------------------------------------------------------------------------------------- challenges


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
    ``challenge-unanswered``). ``reason`` is an error code; it changes nobody's reputation."""

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
    """A member has computed the score of an evidence record (named by its SHA-256) itself (purpose ``score``)."""

    network_id: Key32
    epoch: UInt53
    member: Key32
    evidence: Key32
    node: Id20  # the signer of the receipt: whom it hits
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


# ------------------------------------------------------------------------------------------------------ agreement


class BlockEntry(Message, frozen=True, tag=129):
    """One judged answer: who has computed its score, in the order of the members, and the score that follows.
    ``attestations``: member, score, signature of the :class:`Attestation` that these and the entry make. ``epoch``,
    ``author``, ``index`` and ``turn`` say which challenge's turn it was, ``asked`` whom it was planned for; ``node``
    signed the receipt and is judged, for the model ``model``. ``request`` begins the receipt's commitment of its
    request: one answer to a request is judged, however many receipts and challenges it is shown for. ``scoring``: who
    has scored it where members could not, the author's signed :class:`Scoring`, or nothing."""

    evidence: Key32
    epoch: UInt53
    author: Index
    index: UInt16
    turn: Annotated[int, Meta(ge=0, le=7)]
    asked: Id20
    node: Id20
    score: Score
    attestations: Annotated[tuple[tuple[Index, Score, Signature], ...], Meta(min_length=1, max_length=MAX_MEMBERS)]
    model: Key32
    request: Id16
    scoring: Annotated[tuple[SignedRecord, ...], Meta(max_length=1)] = ()


class Unjudged(Message, frozen=True, tag=145):
    """A duty that was done without a judgement: ``record`` is the SHA-256 of an :class:`Unanswered`, or of
    :class:`Evidence` whose scores did not come together."""

    epoch: UInt53
    author: Index
    asked: Id20
    record: Key32


class OpeningMissed(Message, frozen=True, tag=154):
    """The server has asked a node in epoch ``asked`` to show a final receipt in its batch, and has not got it in the
    two epochs behind (purpose ``opening-missed``, by a key of the genesis). ``receipt`` and its signature are the
    node's; so is ``batch``, of one of the two epochs: who signed receipts in them was there, and could have shown
    it."""

    network_id: Key32
    node_id: Id20
    receipt: Annotated[bytes, Meta(max_length=4096)]
    receipt_signature: Signature
    asked: UInt53
    batch: SignedRecord


class CommitteeChange(Message, frozen=True, tag=155):
    """A member's owner wants another committee (purpose ``committee-change``): the present one without ``remove``, and
    behind it ``add``. It counts for the committee that the block of height ``since`` has named (0: the genesis), in
    blocks up to epoch ``until``; of one member the newest ``issued`` (seconds since 1970). Both empty: none, and none
    before."""

    network_id: Key32
    member: Key32
    since: UInt53
    until: UInt53
    issued: UInt53
    add: Annotated[tuple[Key32, ...], Meta(max_length=MAX_CHANGES)]
    remove: Annotated[tuple[Key32, ...], Meta(max_length=MAX_CHANGES)]


class Contradiction(Message, frozen=True, tag=143):
    """Two records that nobody may sign both, by one key: two batches of one epoch, two receipts of one attempt that
    differ, two votes of one round, two proposals of one round."""

    first: SignedRecord
    second: SignedRecord


class Block(Message, frozen=True, tag=130):
    """What the committee agrees on for one epoch. ``proposer`` made it in ``round`` with its ECVRF ``proof``;
    ``state`` is the SHA-256 of the :class:`Standings` after it; ``next_members`` are the committee from the next block
    on (empty: the same), by the :class:`CommitteeChange` of a quorum in ``change``; ``hidden`` are
    :class:`OpeningMissed`, ``speeds`` are :class:`SpeedReport` of epochs that are over."""

    version: UInt16
    network_id: Key32
    height: UInt53
    epoch: UInt53
    round: Round
    previous: Key32  # SHA-256 of the block before, zeros for the first
    proposer: Key32
    proof: Proof
    issued: UInt53
    commitments: Annotated[tuple[SignedRecord, ...], Meta(max_length=MAX_MEMBERS)]  # for the next epoch
    duties: Annotated[tuple[SignedRecord, ...], Meta(max_length=MAX_MEMBERS)]  # of epochs that are over
    entries: Annotated[tuple[BlockEntry, ...], Meta(max_length=MAX_ENTRIES)]  # in the order of their evidence
    unjudged: Annotated[tuple[Unjudged, ...], Meta(max_length=MAX_UNJUDGED)]
    missed: Annotated[tuple[tuple[Index, UInt16], ...], Meta(max_length=MAX_MEMBERS)]  # duties of which nothing came
    contradictions: Annotated[tuple[Contradiction, ...], Meta(max_length=MAX_CONTRADICTIONS)]  # of nodes
    hidden: Annotated[tuple[SignedRecord, ...], Meta(max_length=MAX_HIDDEN)]  # in the order of their receipts
    change: Annotated[tuple[SignedRecord, ...], Meta(max_length=MAX_MEMBERS)]  # in the order of their members
    next_members: Annotated[tuple[Key32, ...], Meta(max_length=MAX_MEMBERS)]
    speeds: Annotated[tuple[SignedRecord, ...], Meta(max_length=MAX_MEMBERS)]  # in the order of epochs and keys
    state: Key32


class Proposal(Message, frozen=True, tag=131):
    """The proposer's block for a round (purpose ``committee-proposal``). ``valid_round``: the round in which it was
    found valid by a quorum, plus one; 0: none."""

    network_id: Key32
    height: UInt53
    round: Round
    valid_round: Round
    block: Annotated[bytes, Meta(max_length=MAX_RECORD - 256)]


class Vote(Message, frozen=True, tag=132):
    """A member's vote (purpose ``committee-vote``). ``precommit`` False: a prevote. ``digest``: SHA-256 of the block,
    empty for none."""

    network_id: Key32
    height: UInt53
    round: Round
    precommit: bool
    digest: Annotated[bytes, Meta(max_length=32)]


class Certificate(Message, frozen=True, tag=133):
    """A quorum of precommits for one block: (member, signature of its :class:`Vote`), members ascending."""

    height: UInt53
    round: Round
    digest: Key32
    signatures: Annotated[tuple[tuple[Index, Signature], ...], Meta(max_length=MAX_MEMBERS)]


class CertifiedBlock(Message, frozen=True, tag=134):
    """A block's exact bytes with its certificate."""

    block: Annotated[bytes, Meta(max_length=MAX_RECORD)]
    certificate: Certificate


class CommitteeNews(Message, frozen=True, tag=135):
    """On a link between two members: one signed record of any kind that is named here."""

    item: SignedRecord


class CommitteeWant(Message, frozen=True, tag=136):
    """On a link between two members: please send me the certified block of this height."""

    height: UInt53


class CommitteeBlock(Message, frozen=True, tag=137):
    """On a link between two members: a certified block."""

    block: Annotated[bytes, Meta(max_length=MAX_RECORD)]
    certificate: Certificate


class CommitteePrevotes(Message, frozen=True, tag=150):
    """On a link between two members: a quorum of prevotes for one block, members ascending."""

    height: UInt53
    round: Round
    digest: Key32
    signatures: Annotated[tuple[tuple[Index, Signature], ...], Meta(max_length=MAX_MEMBERS)]


class CommitteeHave(Message, frozen=True, tag=151):
    """On a link between two members: where I am, and what of this round I have; please send me what I lack.
    ``prevotes`` and ``precommits``: bit i (of byte i / 8, the lowest first) is set if that of member i is here;
    ``proposal``: one is here with everything that it takes to judge it; ``quorum``: of prevotes; ``want``: the digest
    of a block that a quorum has voted for and that is not here, or empty."""

    height: UInt53
    round: Round
    proposal: bool
    quorum: bool
    prevotes: Bitmap
    precommits: Bitmap
    want: Annotated[bytes, Meta(max_length=32)]


# ------------------------------------------------------------------------------------------------------- standing


class NodeStanding(Message, frozen=True, tag=138):
    """What all blocks so far say of one node. ``suspicion``: the cumulated likelihood (thousandths, never negative);
    ``lapses``: the same of how often its conversations fail, which good ones clear slowly; ``good``: consecutive good
    conversations; ``judged``: results in all; ``signed``: epoch of its last signed answer here; ``recent``: the
    published rule's last scores (credit, millionths), oldest first; ``contradicted``: it has signed two things that
    contradict each other, and is excluded for good; ``slower``: for which models it was found to read slower than it
    says, and how many tokens a second, in their order."""

    node_id: Id20
    reputation: Millionths
    suspicion: Annotated[int, Meta(ge=0, le=1_000_000)]
    lapses: Annotated[int, Meta(ge=0, le=1_000_000)]
    good: UInt16
    judged: UInt32
    signed: UInt53
    excluded: bool
    recent: Annotated[tuple[Millionths, ...], Meta(max_length=16)]
    contradicted: bool = False
    slower: Annotated[tuple[tuple[ModelMark, UInt32], ...], Meta(max_length=MAX_SLOWER)] = ()


class Standings(Message, frozen=True, tag=139):
    """Everybody's standing after a block, in the order of their ids; a block names its SHA-256."""

    height: UInt53
    epoch: UInt53
    nodes: Annotated[tuple[NodeStanding, ...], Meta(max_length=20_000)]


class SignedStandings(Message, frozen=True, tag=140):
    """What a reader of the directory gets: a certified block and the standings that it names; in ``membership`` the
    last blocks that changed the committee, oldest first. Earlier ones are read page by page."""

    block: CertifiedBlock
    standings: Annotated[bytes, Meta(max_length=4 * 1024 * 1024)]
    membership: Annotated[tuple[CertifiedBlock, ...], Meta(max_length=MAX_CHANGES_SHOWN)] = ()


# ------------------------------------------------------------------------------------------------------- receipts


class ReceiptBatch(Message, frozen=True, tag=141):
    """What a model node answered in one epoch, submitted to the server (purpose ``receipt-batch``). ``root``: of the
    Merkle tree over the SHA-256 of its final receipts in the order of signing, and after them as many leaves that mean
    nothing as make a power of two of them, which ``receipts`` is; ``tokens`` is rounded up to one."""

    network_id: Key32
    node_key: Key32
    epoch: UInt53
    root: Key32
    receipts: UInt53
    tokens: UInt53


class LeafOpening(Message, frozen=True, tag=142):
    """One receipt of a batch with its way to the root."""

    batch: Key32  # SHA-256 of the encoded batch
    receipt: Annotated[bytes, Meta(max_length=4096)]
    receipt_signature: Signature
    index: UInt32
    path: Annotated[tuple[Key32, ...], Meta(max_length=32)]


class WorkChallenge(Message, frozen=True, tag=144):
    """Server to a newcomer: find a ``solution`` so that SHA-256 over ``gentorrent/proof-of-work/v1``, network id, node
    key, salt and solution begins with so many zero bits."""

    salt: Id16
    bits: UInt8
    expires: UInt53


class WorkSolution(Message, frozen=True, tag=146):
    """Newcomer to server, in its ``Publish``: the challenge and what solves it."""

    challenge: WorkChallenge
    solution: UInt53


class BatchStored(Message, frozen=True, tag=147):
    """The server has this batch (SHA-256 of the encoded one) on its disk (purpose ``batch-stored``)."""

    network_id: Key32
    node_id: Id20
    epoch: UInt53
    batch: Key32
    stored: UInt53


class OpeningWanted(Message, frozen=True, tag=148):
    """Server to node: show that your batch of this epoch, or of the one behind it, has the receipt with this
    SHA-256."""

    epoch: UInt53
    receipt: Key32


class ChainRecords(Message, frozen=True, tag=149):
    """What the server answers where there are several: encoded records of one kind."""

    records: Annotated[tuple[Annotated[bytes, Meta(max_length=3 * MAX_RECORD)], ...], Meta(max_length=20_000)]


CommitteeMessage = CommitteeNews | CommitteeWant | CommitteeBlock | CommitteePrevotes | CommitteeHave
committee_message_decoder: Decoder[CommitteeMessage] = Decoder(CommitteeMessage)
MAX_CHAIN_RECORDS = 48 * 1024 * 1024
MAX_STANDINGS = 5 * 1024 * 1024
MAX_SIGNED_STANDINGS = MAX_STANDINGS + 8 * 1024 * 1024
signed_record_decoder: Decoder[SignedRecord] = Decoder(SignedRecord)
challenge_decoder: Decoder[PlannedChallenge] = Decoder(PlannedChallenge, MAX_RECORD)
committee_record_decoder: Decoder[
    ChallengeCommitment
    | Evidence
    | Unanswered
    | Duties
    | Attestation
    | Scoring
    | SpeedReport
    | Proposal
    | Vote
    | CommitteeChange
] = Decoder(
    ChallengeCommitment
    | Evidence
    | Unanswered
    | Duties
    | Attestation
    | Scoring
    | SpeedReport
    | Proposal
    | Vote
    | CommitteeChange
)
score_report_decoder: Decoder[ScoreReport] = Decoder(ScoreReport)
opening_missed_decoder: Decoder[OpeningMissed] = Decoder(OpeningMissed)
block_decoder: Decoder[Block] = Decoder(Block)
agreement_decoder: Decoder[Proposal | Vote] = Decoder(Proposal | Vote)
certified_block_decoder: Decoder[CertifiedBlock] = Decoder(CertifiedBlock, 2 * MAX_RECORD)
standings_decoder: Decoder[Standings] = Decoder(Standings, MAX_STANDINGS)
signed_standings_decoder: Decoder[SignedStandings] = Decoder(SignedStandings, MAX_SIGNED_STANDINGS)
receipt_batch_decoder: Decoder[ReceiptBatch] = Decoder(ReceiptBatch)
leaf_opening_decoder: Decoder[LeafOpening] = Decoder(LeafOpening)
batch_stored_decoder: Decoder[BatchStored] = Decoder(BatchStored)
chain_records_decoder: Decoder[ChainRecords] = Decoder(ChainRecords, MAX_CHAIN_RECORDS)
work_challenge_decoder: Decoder[WorkChallenge] = Decoder(WorkChallenge)
work_solution_decoder: Decoder[WorkSolution] = Decoder(WorkSolution)
contradiction_decoder: Decoder[Contradiction] = Decoder(Contradiction, 3 * MAX_RECORD)
