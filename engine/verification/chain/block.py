"""Making a block, and checking one before voting for it, storing it or believing it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import msgspec

from engine.crypto.ecvrf import prove
from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import SignatureError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.chain.claims import usable_claims
from engine.verification.chain.derivation import (
    check_scoring,
    derive,
    duty_of,
    following_state,
    next_done,
    open_commitment,
    shown_output,
    unjudged_place,
)
from engine.verification.chain.entries import make_entry, matches
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.speed_reports import usable_reports
from engine.verification.chain.state import WINDOW, ChainState, Done, OpenEpoch, standings_digest
from engine.verification.challenges.opening import OpenedEvidence, OpenedUnanswered, open_evidence, open_unanswered
from engine.verification.epochs import epoch_at, epoch_begins
from engine.verification.members import faulty, leader, leader_alpha
from engine.verification.signing import digest_of, is_unanswered
from engine.wire.blocks import MAX_ENTRIES, MAX_MEMBERS, MAX_UNJUDGED, Block, BlockEntry, Unjudged, block_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import MAX_RECORD, SignedRecord

BLOCK_VERSION = 1
MAX_BLOCK = MAX_RECORD - 256
"""Bytes of an encoded block: it fits into a proposal."""
_HEAD_BYTES, _MEMBER_BYTES = 400, 500
"""Of a block without answers, and for each member: its commitment, its duties, what it missed."""
_ENTRY_BYTES, _SCORE_BYTES = 152, 87
"""Of a judged answer, and for each member that has scored it, at most."""
_FULL_AFTER = 8
"""So many entries that found no room one after the other: then later answers wait for another block unseen, as the work
of hundreds of them would stop everything else for a while."""
_MISSED_BYTES = 6
_UNJUDGED_BYTES = 80
"""Of one entry in either list, at most."""
Opened = OpenedEvidence | OpenedUnanswered
RecordOf = Callable[[bytes], SignedRecord | None]
"""Evidence and unanswered challenges by their digest."""


def entries_that_fit(members: int) -> int:
    """So many judged answers find a place in a block of a committee of this size, all of its members at work."""
    room = MAX_BLOCK - _HEAD_BYTES - _MEMBER_BYTES * members
    return min(MAX_ENTRIES, room // (_ENTRY_BYTES + _SCORE_BYTES * (2 * faulty(members) + 1)))


class MissingRecordError(VerificationError):
    """A block names evidence that is not here, so nothing can be said of it yet."""

    def __init__(self, digest: bytes) -> None:
        super().__init__(f"The evidence {digest.hex()} that the block names is not here.")
        self.digest = digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a proposer has. Whatever cannot stand in the block is left out: it may be somebody's bad joke.

    ``records``: evidence and unanswered challenges, ``opened`` those of them that were checked before, by digest;
    ``attestations`` and ``scorings``: by the digest of their evidence; ``changes``: what members' owners want of the
    committee; ``speeds``: what members have measured."""

    commitments: Sequence[SignedRecord] = ()
    duties: Sequence[SignedRecord] = ()
    records: Sequence[SignedRecord] = ()
    opened: Mapping[bytes, Opened] = field(default_factory=dict)
    attestations: Mapping[bytes, Sequence[SignedRecord]] = field(default_factory=dict)
    scorings: Mapping[bytes, SignedRecord] = field(default_factory=dict)
    contradictions: Sequence[Contradiction] = ()
    hidden: Sequence[SignedRecord] = ()
    changes: Sequence[SignedRecord] = ()
    speeds: Sequence[SignedRecord] = ()


# ------------------------------------------------------------------------------------------------------------ checking


def check_block(
    state: ChainState,
    encoded: bytes,
    *,
    record_of: RecordOf | None = None,
    now: float | None = None,
) -> ChainState:
    """The state after a block; :class:`VerificationError` says why it is not valid after ``state``.

    ``record_of`` finds the evidence that it names, which is checked as well (:class:`MissingRecordError` when it is not
    there); None: not looked at, as the attestations of f + 1 members stand behind it. ``now`` (seconds since 1970): a
    block from the future is refused.
    """
    block = _decode(encoded)
    output = _check_head(state, block, now)
    if record_of is not None:
        _check_records(state, block, record_of)
    derived = derive(state, block)
    if block.missed != derived.missed:
        raise VerificationError("What the block says of missed duties does not follow from its results.")
    if block.state != standings_digest(block.height, block.epoch, derived.standings):
        raise VerificationError("The standings that the block names are not those that follow from its entries.")
    return following_state(state, block, derived, hashlib.sha256(encoded).digest(), output)


def _decode(encoded: bytes) -> Block:
    if len(encoded) > MAX_BLOCK:
        raise VerificationError(f"The block has {len(encoded)} bytes; at most {MAX_BLOCK} are allowed.")
    try:
        block = block_decoder.decode(encoded)
    except WireError as error:
        raise VerificationError(f"The block cannot be read: {error}.") from error
    if encode(block) != encoded:
        raise VerificationError("The block is not in its canonical form.")
    return block


def _check_head(state: ChainState, block: Block, now: float | None) -> bytes:
    """The VRF output of a block whose head fits."""
    if block.version != BLOCK_VERSION:
        raise VerificationError(
            f"The block has version {block.version}; this program knows {BLOCK_VERSION}. An update may help."
        )
    if block.network_id != state.network_id:
        raise VerificationError("The block belongs to another network.")
    if block.height != state.height + 1:
        raise VerificationError(f"The block has height {block.height}; the next one is {state.height + 1}.")
    if block.previous != state.previous:
        raise VerificationError("The block does not follow the newest block, but another one of that height.")
    if block.epoch <= state.epoch:
        raise VerificationError(f"The block is of epoch {block.epoch}; there is one of epoch {state.epoch} already.")
    if not state.members:
        raise VerificationError("The network has no committee, so it has no blocks.")
    if block.issued < max(state.issued, epoch_begins(state.genesis, block.epoch) - CLOCK_SKEW_SECONDS):
        raise VerificationError("The block was issued before its epoch or before the block before it.")
    if now is not None:
        latest = now + CLOCK_SKEW_SECONDS
        if block.issued > latest or block.epoch > epoch_at(state.genesis, latest):
            raise VerificationError("The block is from the future. If it is not, this computer's clock is wrong.")
    if block.proposer != leader(state.members, state.output, block.round):
        raise VerificationError(f"The block's proposer does not lead round {block.round}.")
    try:
        alpha = leader_alpha(state.network_id, block.epoch, block.round, state.output)
        return verify_proof(block.proposer, alpha, block.proof)
    except SignatureError as error:
        raise VerificationError(f"The proposer's proof does not hold: {error}.") from error


def _check_records(state: ChainState, block: Block, record_of: RecordOf) -> None:
    for entry in block.entries:
        if entry.author >= len(state.members):
            raise VerificationError("An entry names an author that the committee does not have.")
        opened = open_evidence(_found(record_of, entry.evidence), state.genesis, state.network_id, state.commitment_of)
        if not matches(entry, opened, state.members, state.network_id):
            raise VerificationError("An entry says something else of its evidence than it shows.")
    for one in block.unjudged:
        record = _open_any(_found(record_of, one.record), state)
        member = record.evidence.member if isinstance(record, OpenedEvidence) else record.unanswered.member
        epoch = record.challenge.epoch
        if one.author >= len(state.members) or (epoch, member, record.asked) != (
            one.epoch,
            state.members[one.author],
            one.asked,
        ):
            raise VerificationError("What is said not to be judged is another duty than its record shows.")


def _found(record_of: RecordOf, digest: bytes) -> SignedRecord:
    record = record_of(digest)
    if record is None:
        raise MissingRecordError(digest)
    if digest_of(record) != digest:
        raise VerificationError("A record is not the one that the block names.")
    return record


def _open_any(record: SignedRecord, state: ChainState) -> Opened:
    if is_unanswered(record):
        return open_unanswered(record, state.network_id, state.commitment_of)
    return open_evidence(record, state.genesis, state.network_id, state.commitment_of)


# -------------------------------------------------------------------------------------------------------------- making


def make_block(
    state: ChainState, material: Material, *, epoch: int, round_number: int, proposer: Identity, issued: int
) -> bytes:
    """The encoded block of the leader of a round; ``issued`` is in seconds since 1970.

    Older evidence comes first, as it has no later block (:func:`~.fairness.fair_place`). Where more rounds have failed
    than faulty members can lead, one may have shown everybody other evidence: then the block has the proposer's own
    alone, which everybody has got. :class:`VerificationError` when ``proposer`` does not lead this round or the time
    does not fit: whatever else is wrong with ``material`` is left out.
    """
    claims = usable_claims(state, epoch, material.contradictions, material.hidden, material.changes, MAX_BLOCK // 2)
    members = claims.next_members or state.members
    commitments = _usable_commitments(state, material.commitments, epoch, members)
    duties, outputs = _usable_duties(state, material.duties, epoch)
    epochs = {number: with_outputs(found, outputs.get(number, {})) for number, found in state.epochs.items()}
    block = Block(
        version=BLOCK_VERSION,
        network_id=state.network_id,
        height=state.height + 1,
        epoch=epoch,
        round=round_number,
        previous=state.previous,
        proposer=proposer.public_key,
        proof=prove(proposer.seed, leader_alpha(state.network_id, epoch, round_number, state.output)),
        issued=max(issued, state.issued),
        commitments=commitments,
        duties=duties,
        entries=(),
        unjudged=(),
        missed=(),
        contradictions=claims.contradictions,
        hidden=claims.hidden,
        change=claims.change,
        next_members=claims.next_members,
        speeds=usable_reports(material.speeds, state, epoch, MAX_BLOCK // 8),
        state=bytes(32),
    )
    room = MAX_BLOCK - len(encode(block)) - _MISSED_BYTES * len(state.members) - 16
    only_of = proposer.public_key if round_number > faulty(len(state.members)) else None
    entries, unjudged = _results(state, material, epoch, epochs, room, only_of)
    block = msgspec.structs.replace(block, entries=entries, unjudged=unjudged)
    derived = derive(state, block)
    block = msgspec.structs.replace(
        block, missed=derived.missed, state=standings_digest(block.height, block.epoch, derived.standings)
    )
    encoded = encode(block)
    check_block(state, encoded)
    return encoded


def _usable_commitments(
    state: ChainState, offered: Sequence[SignedRecord], epoch: int, members: Sequence[bytes]
) -> tuple[SignedRecord, ...]:
    found: dict[int, SignedRecord] = {}
    for signed in offered:
        try:
            place, _ = open_commitment(signed, state.network_id, epoch + 1, members)
        except VerificationError:
            continue
        found.setdefault(place, signed)
    return tuple(found[place] for place in sorted(found))


def _usable_duties(
    state: ChainState, offered: Sequence[SignedRecord], epoch: int
) -> tuple[tuple[SignedRecord, ...], dict[int, dict[bytes, bytes]]]:
    found: dict[tuple[int, bytes], tuple[SignedRecord, bytes]] = {}
    for signed in offered:
        try:
            duties, output = shown_output(signed, state, epoch)
        except VerificationError:
            continue
        found.setdefault((duties.epoch, duties.member), (signed, output))
    kept = sorted(found)[:MAX_MEMBERS]
    outputs: dict[int, dict[bytes, bytes]] = {}
    for number, member in kept:
        outputs.setdefault(number, {})[member] = found[number, member][1]
    return tuple(found[place][0] for place in kept), outputs


class _Results:
    """Entries and what was not judged, gathered under the bounds of a block."""

    def __init__(self, state: ChainState, epoch: int, epochs: Mapping[int, OpenEpoch], room: int) -> None:
        self._state = state
        self._epoch = epoch
        self._epochs = epochs
        self._room = room  # bytes that are left
        self._done: dict[tuple[int, bytes, NodeId], Done] = {
            (number, *duty): done for number, found in epochs.items() for duty, done in found.done.items()
        }
        self._idle: dict[tuple[int, bytes, NodeId], Unjudged] = {}
        self._entries: list[BlockEntry] = []
        self._refused = 0

    def add(self, record: Opened, attestations: Sequence[SignedRecord], scoring: SignedRecord | None = None) -> None:
        """Take a record that can stand in the block now."""
        challenge, asked = record.challenge, record.asked
        member = record.evidence.member if isinstance(record, OpenedEvidence) else record.unanswered.member
        if not self._epoch - WINDOW <= challenge.epoch <= self._epoch or member not in self._state.members:
            return
        last_chance = challenge.epoch == self._epoch - WINDOW
        if isinstance(record, OpenedEvidence) and self._refused >= _FULL_AFTER and not last_chance:
            return
        author = self._state.members.index(member)
        entry = None
        try:
            duty_of(self._state, self._epochs, challenge.epoch, author, asked)
            if isinstance(record, OpenedEvidence):
                scoring = self._usable(record, scoring) if scoring is not None else None
                own = self._state.related(challenge.epoch, record.node)
                entry = make_entry(record, attestations, self._state.members, self._state.network_id, scoring, own)
            if entry is not None:
                self._add_entry(entry, (challenge.epoch, member, asked))
        except VerificationError:
            return
        if entry is None and (last_chance or isinstance(record, OpenedUnanswered)):
            one = Unjudged(epoch=challenge.epoch, author=author, asked=asked, record=record.digest)
            self._idle.setdefault((challenge.epoch, member, asked), one)

    def _usable(self, record: OpenedEvidence, scoring: SignedRecord) -> SignedRecord | None:
        """The scoring, if it holds and its scorers were drawn for this answer."""
        found = self._epochs[record.challenge.epoch]
        try:
            check_scoring(record, scoring, found, self._state.members, self._state.network_id)
        except VerificationError:
            return None
        return scoring

    def _add_entry(self, entry: BlockEntry, duty: tuple[int, bytes, NodeId]) -> None:
        size = len(encode(entry))
        done = next_done(self._done.get(duty), entry.index, entry.turn)
        if len(self._entries) < MAX_ENTRIES and size <= self._room:
            self._room -= size
            self._done[duty] = done
            self._entries.append(entry)
            self._refused = 0
        else:
            self._refused += 1

    def result(self) -> tuple[tuple[BlockEntry, ...], tuple[Unjudged, ...]]:
        """In the order of a block."""
        entries = tuple(sorted(self._entries, key=lambda entry: entry.evidence))
        idle = [one for duty, one in self._idle.items() if duty not in self._done]
        fitting = min(MAX_UNJUDGED, max(0, self._room // _UNJUDGED_BYTES))
        return entries, tuple(sorted(idle, key=unjudged_place)[:fitting])


def _results(
    state: ChainState,
    material: Material,
    epoch: int,
    epochs: Mapping[int, OpenEpoch],
    room: int,
    only_of: bytes | None,
) -> tuple[tuple[BlockEntry, ...], tuple[Unjudged, ...]]:
    opened: dict[bytes, Opened] = {}
    for signed in material.records:
        try:
            record = material.opened.get(digest_of(signed)) or _open_any(signed, state)
        except VerificationError:
            continue
        if only_of is None or record.challenge.member == only_of:
            opened[record.digest] = record
    results = _Results(state, epoch, epochs, room)
    for record in sorted(opened.values(), key=lambda record: fair_place(state, record)):
        results.add(record, material.attestations.get(record.digest, ()), material.scorings.get(record.digest))
    return results.result()


def with_outputs(found: OpenEpoch, outputs: Mapping[bytes, bytes]) -> OpenEpoch:
    """An epoch with what more members have shown of their duties: (key → VRF output)."""
    return replace(found, outputs=MappingProxyType({**found.outputs, **outputs}))
