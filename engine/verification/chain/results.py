"""What of all evidence stands in a block, and whether it says there what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.chain.derivation import check_scoring, duty_of, next_done, unjudged_place
from engine.verification.chain.entries import make_entry, matches
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.room import UNJUDGED_BYTES
from engine.verification.chain.state import WINDOW, ChainState, Done, OpenEpoch
from engine.verification.challenges.opening import OpenedEvidence, OpenedUnanswered, open_evidence, open_unanswered
from engine.verification.members import faulty
from engine.verification.signing import digest_of, is_unanswered
from engine.wire.blocks import MAX_ENTRIES, MAX_UNJUDGED, Block, BlockEntry, Unjudged
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord

_FULL_AFTER = 8
"""So many entries that found no room one after the other: then later answers wait for another block unseen, as the work
of hundreds of them would stop everything else for a while."""
Opened = OpenedEvidence | OpenedUnanswered
RecordOf = Callable[[bytes], SignedRecord | None]
"""Evidence and unanswered challenges by their digest."""


def is_broken(record: Opened) -> bool:
    """Whether it says that the node broke off a conversation."""
    return isinstance(record, OpenedUnanswered) and record.broken


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


def check_records(state: ChainState, block: Block, record_of: RecordOf) -> None:
    """Whether the evidence that a block names says what the block says of it; :class:`VerificationError` if not,
    :class:`MissingRecordError` where it is not here."""
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
        if one.broken != is_broken(record):
            raise VerificationError("A block says otherwise of a conversation than its record that it was broken off.")


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


# ------------------------------------------------------------------------------------------------------------ choosing


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
        self._broken: dict[tuple[int, bytes, NodeId], Unjudged] = {}
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
            if isinstance(record, OpenedEvidence):
                duty_of(self._state, self._epochs, challenge.epoch, author, asked, record.evidence.index)
                scoring = self._usable(record, scoring) if scoring is not None else None
                own = self._state.related(challenge.epoch, record.node)
                entry = make_entry(record, attestations, self._state.members, self._state.network_id, scoring, own)
            if entry is not None:
                self._add_entry(entry, (challenge.epoch, member, asked))
            else:  # of what was no duty nothing is said where it has brought no score
                duty_of(self._state, self._epochs, challenge.epoch, author, asked)
        except VerificationError:
            return
        if entry is None and (last_chance or isinstance(record, OpenedUnanswered)):
            broken = is_broken(record)
            one = Unjudged(epoch=challenge.epoch, author=author, asked=asked, record=record.digest, broken=broken)
            if not broken:
                self._idle.setdefault((challenge.epoch, member, asked), one)
            elif (member, asked) not in self._epochs[challenge.epoch].broken:
                self._broken.setdefault((challenge.epoch, member, asked), one)

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
        idle = [one for duty, one in self._idle.items() if duty not in self._done and duty not in self._broken]
        idle += self._broken.values()
        fitting = min(MAX_UNJUDGED, max(0, self._room // UNJUDGED_BYTES))
        return entries, tuple(sorted(idle, key=unjudged_place)[:fitting])


def choose_results(
    state: ChainState,
    material: Material,
    proposer: bytes,
    *,
    epoch: int,
    round_number: int,
    epochs: Mapping[int, OpenEpoch],
    room: int,
) -> tuple[tuple[BlockEntry, ...], tuple[Unjudged, ...]]:
    """What the leader of a round, whose key is ``proposer``, takes into its block.

    Older evidence comes first, as it has no later block (:func:`~.fairness.fair_place`). Where more rounds have failed
    than faulty members can lead, one may have shown everybody other evidence: then the block has the proposer's own
    alone, which everybody has got."""
    only_of = proposer if round_number > faulty(len(state.members)) else None
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
