"""What follows from a block and the state before it. Makers and checkers of blocks both come through here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import msgspec

from engine.crypto.ecvrf import verify as verify_proof
from engine.errors import SignatureError, VerificationError
from engine.ids import NodeId
from engine.verification.capacity.speeds import Speeds, speeds_after
from engine.verification.chain.broken_off import broken_by, take_broken
from engine.verification.chain.claims import check_claims, next_members
from engine.verification.chain.entries import check_entry, scoring_of
from engine.verification.chain.judged import standings_of
from engine.verification.chain.speed_reports import open_reports
from engine.verification.chain.state import (
    WINDOW,
    ChainState,
    Done,
    OpenEpoch,
    newcomer_again_after,
)
from engine.verification.challenges.duties import (
    MAX_SAMPLED,
    Basis,
    has_duty,
    is_checked_by_all,
    is_kin,
    may_check,
    publicly_drawn,
    related,
)
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.large_models.majority import OpenedScoring, check_scorers, open_scoring
from engine.verification.large_models.transcript import transcript_of_evidence
from engine.verification.members import duties_alpha, faulty, most_kin
from engine.verification.signing import open_record, read_record
from engine.wire.blocks import Block, NodeStanding, Unjudged
from engine.wire.challenges import ChallengeCommitment, Duties
from engine.wire.signed import SignedRecord

MAX_MISSED = 0xFFFF
Epochs = dict[int, OpenEpoch]


@dataclass(frozen=True, slots=True)
class Derived:
    """``missed``: as the block must say it. What the new state still lacks is the block's own digest and output."""

    standings: Mapping[NodeId, NodeStanding]
    missed: tuple[tuple[int, int], ...]
    members: tuple[bytes, ...]
    hidden: Mapping[bytes, int]
    commitments: Mapping[bytes, ChallengeCommitment]
    epochs: Mapping[int, OpenEpoch]
    serving: Mapping[NodeId, bytes]
    doubted: frozenset[NodeId]
    speeds: Speeds


def derive(state: ChainState, block: Block) -> Derived:
    """Check everything that the block contains and compute what it leads to; :class:`VerificationError` if it holds
    anything that does not follow. Its head, digest of standings and ``missed`` are the caller's to compare."""
    members = next_members(state, block)
    claimed = check_claims(state, block)
    commitments = _commitments(block, members)
    epochs = {epoch: found for epoch, found in state.epochs.items() if epoch >= block.epoch - WINDOW}
    _take_duties(state, block, epochs)
    doubted = _take_entries(state, block, epochs)
    speeds = _take_speeds(state, block, members, epochs)
    _take_unjudged(state, block, epochs)
    closing = {epoch: epochs.get(epoch, found) for epoch, found in state.epochs.items()}
    closing = {epoch: found for epoch, found in closing.items() if epoch <= block.epoch - WINDOW}
    open_now = {epoch: found for epoch, found in epochs.items() if epoch > block.epoch - WINDOW}
    standings = standings_of(state, block, open_now)
    serving = {**state.serving, **{NodeId(entry.node): entry.model for entry in block.entries}}
    for found in closing.values():
        take_broken(standings, found.basis, broken_by(found.broken, state.members), faulty(len(state.members)))
    claimed.apply(standings, state.rule, block.epoch)
    _say_who_is_slower(standings, speeds)
    return Derived(
        standings=MappingProxyType(standings),
        missed=missed_duties(state.members, list(closing.values())),
        members=members,
        hidden=MappingProxyType(claimed.hidden_after(state, block.epoch)),
        commitments=MappingProxyType(commitments),
        epochs=MappingProxyType(open_now),
        serving=MappingProxyType({node: model for node, model in serving.items() if node in standings}),
        doubted=doubted,
        speeds=speeds,
    )


def following_state(state: ChainState, block: Block, derived: Derived, digest: bytes, output: bytes) -> ChainState:
    """The state after a block with this SHA-256 and VRF output: the next epoch begins from it."""
    basis = Basis(
        members=derived.members,
        output=output,
        standings=derived.standings,
        commitments=derived.commitments,
        serving=derived.serving,
        doubted=derived.doubted,
    )
    epochs = dict(derived.epochs)
    if derived.commitments:
        epochs[block.epoch + 1] = OpenEpoch(basis=basis)
    return replace(
        state,
        height=block.height,
        epoch=block.epoch,
        issued=block.issued,
        previous=digest,
        output=output,
        members=derived.members,
        changes=(*state.changes, block.height) if block.next_members else state.changes,
        standings=derived.standings,
        hidden=derived.hidden,
        epochs=MappingProxyType(epochs),
        serving=derived.serving,
        speeds=derived.speeds,
    )


# --------------------------------------------------------------------------------------------------------- commitments


def open_commitment(
    signed: SignedRecord, network_id: bytes, epoch: int, members: Sequence[bytes]
) -> tuple[int, ChallengeCommitment]:
    """What a member promises to ask in ``epoch``, and its place; :class:`VerificationError` if it may not."""
    commitment = read_record(signed, ChallengeCommitment, network_id)
    if commitment.epoch != epoch:
        raise VerificationError(f"A commitment is for epoch {commitment.epoch}; those for epoch {epoch} are due.")
    if commitment.member not in members:
        raise VerificationError("A commitment is by somebody who is no member of the committee of its epoch.")
    if len(commitment.kin) > most_kin(len(members)):
        raise VerificationError(
            f"A commitment names {len(commitment.kin)} nodes of its family; {most_kin(len(members))} are possible in a"
            f" committee of {len(members)}."
        )
    if commitment.count == 0:
        raise VerificationError("A commitment promises nothing.")
    open_record(signed, ChallengeCommitment, network_id)
    return members.index(commitment.member), commitment


def _commitments(block: Block, members: Sequence[bytes]) -> dict[bytes, ChallengeCommitment]:
    found: dict[bytes, ChallengeCommitment] = {}
    last = -1
    for signed in block.commitments:
        place, commitment = open_commitment(signed, block.network_id, block.epoch + 1, members)
        if place <= last:
            raise VerificationError("Commitments are not in the order of their members, or one came twice.")
        found[commitment.member], last = commitment, place
    return found


# -------------------------------------------------------------------------------------------------------------- duties


def wanted_duties(signed: SignedRecord, state: ChainState, epoch: int) -> tuple[Duties, OpenEpoch]:
    """A member's duties that can be shown in ``epoch``, neither signature nor proof being looked at, and their own
    epoch; :class:`VerificationError` where nobody waits for them."""
    duties = read_record(signed, Duties, state.network_id)
    found = state.epochs.get(duties.epoch)
    if not epoch - WINDOW <= duties.epoch < epoch or found is None:
        raise VerificationError(f"Duties of epoch {duties.epoch} cannot be shown in a block of epoch {epoch}.")
    if duties.member not in found.basis.members:
        raise VerificationError("Duties are shown by somebody who was no member of the committee then.")
    if duties.member in found.outputs:
        raise VerificationError("Duties were shown before.")
    return duties, found


def shown_output(signed: SignedRecord, state: ChainState, epoch: int) -> tuple[Duties, bytes]:
    """A member's duties in an epoch before ``epoch``, and its VRF output; :class:`VerificationError` if not shown."""
    duties, found = wanted_duties(signed, state, epoch)
    open_record(signed, Duties, state.network_id)
    try:
        alpha = duties_alpha(state.network_id, duties.epoch, found.basis.output)
        return duties, verify_proof(duties.member, alpha, duties.proof)
    except SignatureError as error:
        raise VerificationError(f"The proof of duties does not hold: {error}.") from error


def _take_duties(state: ChainState, block: Block, epochs: Epochs) -> None:
    last = (-1, b"")
    for signed in block.duties:
        duties, output = shown_output(signed, state, block.epoch)
        if (duties.epoch, duties.member) <= last:
            raise VerificationError("Duties are not in the order of epochs and keys, or came twice.")
        last = (duties.epoch, duties.member)
        found = epochs[duties.epoch]
        epochs[duties.epoch] = replace(found, outputs=MappingProxyType({**found.outputs, duties.member: output}))


# ------------------------------------------------------------------------------------------------------------- results


def _open_epoch(epochs: Epochs, block: Block, epoch: int) -> OpenEpoch:
    found = epochs.get(epoch)
    if found is None or not block.epoch - WINDOW <= epoch <= block.epoch:
        raise VerificationError(f"A result of epoch {epoch} cannot stand in a block of epoch {block.epoch}.")
    return found


def duty_of(
    state: ChainState, epochs: Mapping[int, OpenEpoch], epoch: int, author: int, asked: NodeId, index: int = MAX_SAMPLED
) -> bytes:
    """The key of the author that had this duty, or might ask the challenge in this place of its promise because users
    doubt the node; :class:`VerificationError` if neither."""
    if author >= len(state.members):
        raise VerificationError("A result names an author that the committee does not have.")
    member, found = state.members[author], epochs[epoch]
    if not may_check(found.basis, member, asked, found.outputs.get(member), index):
        raise VerificationError(f"The author of a result had no duty to check that node in epoch {epoch}.")
    return member


def check_scoring(
    opened: OpenedEvidence, signed: SignedRecord, found: OpenEpoch, members: Sequence[bytes], network_id: bytes
) -> OpenedScoring:
    """What drawn nodes have found of an answer, ``found`` being the epoch of its challenge; :class:`VerificationError`
    if it is another answer's, not its author's, or not by nodes that were drawn."""
    scoring = open_scoring(signed, network_id)
    said, evidence = scoring.scoring, opened.evidence
    if (said.evidence, said.epoch, said.member) != (opened.digest, evidence.epoch, evidence.member):
        raise VerificationError("A scoring is of another answer, or not by its author.")
    if scoring.transcript != transcript_of_evidence(opened, network_id):
        raise VerificationError("Scorers have been shown another answer than the evidence shows.")
    model, turn = opened.request.model_digest, evidence.turn
    check_drawn(scoring, found, members, model=model, asked=opened.asked, judged=opened.node, turn=turn)
    return scoring


def next_done(before: Done | None, index: int, turn: int) -> Done:
    """With one more judged turn; :class:`VerificationError` for a second judgement or a second challenge."""
    turns = before.turns if before is not None else frozenset[int]()
    if before is not None and before.index not in (None, index):
        raise VerificationError("Two challenges are opened for one duty.")
    if turn in turns:
        raise VerificationError("An answer is judged twice.")
    return Done(index, turns | {turn})


def _take_entries(state: ChainState, block: Block, epochs: Epochs) -> frozenset[NodeId]:
    """Who has scored an answer against the majority."""
    last, doubted = b"", set[NodeId]()
    changed: dict[int, dict[tuple[bytes, NodeId], Done]] = {}
    for entry in block.entries:
        found = _open_epoch(epochs, block, entry.epoch)
        if entry.evidence <= last:
            raise VerificationError("Entries are not in the order of their evidence, or one came twice.")
        last = entry.evidence
        asked = NodeId(entry.asked)
        duty = (duty_of(state, epochs, entry.epoch, entry.author, asked, entry.index), asked)
        done = changed.setdefault(entry.epoch, dict(found.done))
        done[duty] = next_done(done.get(duty), entry.index, entry.turn)
        if is_kin(found.basis.commitments.get(duty[0]), NodeId(entry.node)):
            raise VerificationError("The author of an entry is of the family of the node that it judges.")
        check_entry(entry, state.members, state.network_id, related(found.basis, NodeId(entry.node)))
        if (scoring := scoring_of(entry, state.members, state.network_id)) is not None:
            judged, turn = NodeId(entry.node), entry.turn
            check_drawn(scoring, found, state.members, model=entry.model, asked=asked, judged=judged, turn=turn)
            doubted |= scoring.against
    for epoch, done in changed.items():
        epochs[epoch] = replace(epochs[epoch], done=MappingProxyType(done))
    return frozenset(doubted)


def _take_speeds(state: ChainState, block: Block, members: Sequence[bytes], epochs: Epochs) -> Speeds:
    """What is known of everybody's speed after the block."""
    reports = open_reports(block.speeds, state, block.epoch)
    for report in reports:
        found = epochs[report.epoch]
        epochs[report.epoch] = replace(found, reported=found.reported | {report.member})
    oldest = block.epoch - newcomer_again_after(state.genesis)
    return speeds_after(state.speeds, block.height, reports, members, oldest, changed=bool(block.next_members))


def _say_who_is_slower(standings: dict[NodeId, NodeStanding], speeds: Speeds) -> None:
    for node, standing in standings.items():
        slower = speeds.slower.get(node, ())
        if standing.slower != slower:
            standings[node] = msgspec.structs.replace(standing, slower=slower)


def check_drawn(
    scoring: OpenedScoring,
    found: OpenEpoch,
    members: Sequence[bytes],
    *,
    model: bytes,
    asked: NodeId,
    judged: NodeId,
    turn: int,
) -> None:
    """Whether the draw of that epoch allows the scorers of an answer; :class:`VerificationError` if not."""
    output = found.outputs.get(scoring.scoring.member)
    check_scorers(scoring, found.basis, output, model=model, asked=asked, judged=judged, turn=turn, members=members)


def _take_unjudged(state: ChainState, block: Block, epochs: Epochs) -> None:
    last: tuple[int, int, bytes] = (-1, -1, b"")
    for one in block.unjudged:
        found = _open_epoch(epochs, block, one.epoch)
        if (place := unjudged_place(one)) <= last:
            raise VerificationError("What was not judged is not in its order, or stands twice.")
        last = place
        duty = (duty_of(state, epochs, one.epoch, one.author, NodeId(one.asked)), NodeId(one.asked))
        if duty in (found.broken if one.broken else found.done):
            raise VerificationError("A duty is said to have brought nothing, but a block has its result.")
        done = MappingProxyType({duty: Done(), **found.done})
        epochs[one.epoch] = replace(found, done=done, broken=found.broken | {duty} if one.broken else found.broken)


def unjudged_place(one: Unjudged) -> tuple[int, int, bytes]:
    """By which they are ordered."""
    return one.epoch, one.author, one.asked


def missed_duties(members: Sequence[bytes], closing: Sequence[OpenEpoch]) -> tuple[tuple[int, int], ...]:
    """Of the epochs that are over: (place of a member, duties of which nothing came), ascending, no zeros."""
    missed: Counter[bytes] = Counter()
    for found in closing:
        basis, done = found.basis, found.done
        there = {node for (_, node), result in done.items() if result.turns}
        for node in there:
            if is_checked_by_all(basis, node):
                missed.update(member for member in publicly_drawn(basis, node) if (member, node) not in done)
        for member, output in found.outputs.items():
            for node in basis.standings:
                drawn = not is_checked_by_all(basis, node) and has_duty(basis, member, node, output)
                missed[member] += drawn and (member, node) not in done
        missed.update(member for member in basis.commitments if member not in found.outputs)
    return tuple((place, min(MAX_MISSED, missed[member])) for place, member in enumerate(members) if missed[member])
