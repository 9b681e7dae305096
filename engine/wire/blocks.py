"""What the committee agrees on, how its members agree, and what readers get of it (numbers 129 to 140, 145 to 155).

The course of an epoch is told in docs/verification.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.challenges import (
    Attestation,
    ChallengeCommitment,
    Duties,
    Evidence,
    Millionths,
    ModelMark,
    Proof,
    Score,
    Scoring,
    SpeedReport,
    Unanswered,
)
from engine.wire.codec import Decoder, Id20, Key32, Message, Signature, UInt16, UInt32, UInt53
from engine.wire.receipts import Contradiction
from engine.wire.signed import MAX_RECORD, SignedRecord

MAX_MEMBERS = 64
"""Of a committee."""
MAX_ENTRIES = 256
"""Judged answers in one block; what finds no place waits for the next. Its bytes end most blocks sooner: at about 170
answers with a committee of four, 105 with one of seven."""
MAX_CONTRADICTIONS, MAX_HIDDEN = 8, 16
"""In one block."""
MAX_CHANGES = 4
"""Members that come, and as many that go, by one change of the committee."""
MAX_CHANGES_SHOWN = 64
"""Blocks that changed the committee, at once."""
MAX_UNJUDGED = 64
"""Challenges in one block that brought nothing to judge."""
MAX_SLOWER = 8
"""Models of one node that it was found to read slower than it says."""
Index = Annotated[int, Meta(ge=0, le=MAX_MEMBERS - 1)]
"""Place of a member in the committee's list of keys."""
Round = Annotated[int, Meta(ge=0, le=0xFFFF)]
Bitmap = Annotated[bytes, Meta(max_length=MAX_MEMBERS // 8)]
"""One bit for each member."""


class BlockEntry(Message, frozen=True, tag=129):
    """One judged answer: who has computed its score, in the order of the members, and the score that follows.
    ``attestations``: member, score, signature of the :class:`Attestation` that these and the entry make. ``epoch``,
    ``author``, ``index`` and ``turn`` say which challenge's turn it was, ``asked`` whom it was planned for: of one turn
    there is one request, so one answer is judged. ``node`` signed the receipt and is judged, for the model ``model``.
    ``scoring``: who has scored it where members could not, the author's signed :class:`Scoring`, or nothing."""

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
    scoring: Annotated[tuple[SignedRecord, ...], Meta(max_length=1)] = ()


class Unjudged(Message, frozen=True, tag=145):
    """A duty that was done without a judgement: ``record`` is the SHA-256 of an :class:`Unanswered`, or of
    :class:`Evidence` whose scores did not come together. ``broken``: the node had begun to answer, and broke off; that
    may stand beside what was judged of the same conversation."""

    epoch: UInt53
    author: Index
    asked: Id20
    record: Key32
    broken: bool = False


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


class ChainRecords(Message, frozen=True, tag=149):
    """What the server answers where there are several: encoded records of one kind."""

    records: Annotated[tuple[Annotated[bytes, Meta(max_length=3 * MAX_RECORD)], ...], Meta(max_length=20_000)]


CommitteeMessage = CommitteeNews | CommitteeWant | CommitteeBlock | CommitteePrevotes | CommitteeHave
committee_message_decoder: Decoder[CommitteeMessage] = Decoder(CommitteeMessage)
MAX_CHAIN_RECORDS = 48 * 1024 * 1024
MAX_STANDINGS = 5 * 1024 * 1024
MAX_SIGNED_STANDINGS = MAX_STANDINGS + 8 * 1024 * 1024
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
block_decoder: Decoder[Block] = Decoder(Block)
agreement_decoder: Decoder[Proposal | Vote] = Decoder(Proposal | Vote)
certified_block_decoder: Decoder[CertifiedBlock] = Decoder(CertifiedBlock, 2 * MAX_RECORD)
standings_decoder: Decoder[Standings] = Decoder(Standings, MAX_STANDINGS)
signed_standings_decoder: Decoder[SignedStandings] = Decoder(SignedStandings, MAX_SIGNED_STANDINGS)
chain_records_decoder: Decoder[ChainRecords] = Decoder(ChainRecords, MAX_CHAIN_RECORDS)
