"""What a member has heard from the others and found to hold, until blocks have no more use for it."""

from __future__ import annotations

import math
from collections import Counter

from engine.errors import ForgedRecordError, VerificationError, WireError
from engine.verification.chain.derivation import check_scoring, shown_output, wanted_duties
from engine.verification.chain.entries import make_entry, open_attestations, scorers
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.promises import Promises
from engine.verification.chain.results import Material, Opened, with_outputs
from engine.verification.chain.speed_reports import open_report
from engine.verification.chain.state import WINDOW, ChainState
from engine.verification.chain.told import Subject, Told
from engine.verification.chain.waiting_claims import WaitingClaims
from engine.verification.challenges.duties import has_duty, may_check
from engine.verification.challenges.opening import (
    OpenedEvidence,
    OpenedUnanswered,
    open_evidence,
    open_unanswered,
)
from engine.verification.large_models.majority import OpenedScoring
from engine.verification.members import faulty
from engine.verification.signing import digest_of, open_record
from engine.wire.blocks import CommitteeChange, block_decoder, committee_record_decoder
from engine.wire.challenges import Attestation, ChallengeCommitment, Duties, Evidence, Scoring, SpeedReport, Unanswered
from engine.wire.signed import SignedRecord

MAX_EVIDENCE, MAX_EVIDENCE_BYTES = 512, 4 * 1024 * 1024
"""Of one member and epoch, unanswered challenges counted with it. An ordinary record has a few thousand bytes."""
MAX_PROOFS = 4
"""Of duties, of one member and epoch, that are looked at: an honest one shows one. Each takes a VRF proof's time."""
MAX_FORGED = 4
"""Records whose signatures do not fit, of one sender in one epoch, that are looked at: an honest one sends none."""
_UNANSWERED = -1
Key = tuple[int, bytes]
"""An epoch and a member's key."""


class RecordBook:
    """Bounded whatever members send: one commitment and one record of duties for each member and epoch, two results of
    each turn of each duty, two attestations of each scorer (of which neither counts then: :class:`Told`), one will to
    change the committee. What comes before what it rests on is not kept: members repeat."""

    def __init__(self) -> None:
        self.promises = Promises()
        self.claims = WaitingClaims()
        self._duties: dict[Key, SignedRecord] = {}
        self._proofs: Counter[Key] = Counter()
        self._forged: Counter[Key] = Counter()  # by their sender, and the epoch in which they came
        self._results: dict[Key, dict[bytes, SignedRecord]] = {}
        self._told = Told()
        self._overfull: set[Key] = set()  # who has shown more of an epoch than is kept
        self._own: dict[Key, bytes] = {}
        self._opened: dict[bytes, Opened] = {}
        self._by_digest: dict[bytes, SignedRecord] = {}
        self._attestations: dict[bytes, dict[bytes, SignedRecord]] = {}
        self._outputs: dict[Key, bytes] = {}
        self._scorings: dict[bytes, tuple[SignedRecord, OpenedScoring]] = {}
        self._speeds: dict[Key, SignedRecord] = {}

    def add(
        self, signed: SignedRecord, state: ChainState, epoch: int, now: float = 0.0, sender: bytes | None = None
    ) -> bool:
        """Take a record in ``epoch``, the present one, at ``now`` (seconds that never go back); whether it is new.
        ``sender``: the key of the member that has sent it, who need not have signed it.
        :class:`VerificationError` for what does not hold or is not wanted."""
        if sender is None:
            return self._add(signed, state, epoch, now)
        if self._forged[epoch, sender] >= MAX_FORGED:
            raise VerificationError(f"A member has sent {MAX_FORGED} forged records in this epoch.")
        try:
            return self._add(signed, state, epoch, now)
        except ForgedRecordError:
            self._forged[epoch, sender] += 1
            raise

    def _add(self, signed: SignedRecord, state: ChainState, epoch: int, now: float) -> bool:
        try:
            record = committee_record_decoder.decode(signed.record)
        except WireError as error:
            raise VerificationError(f"A record of a member cannot be read: {error}.") from error
        match record:
            case ChallengeCommitment():
                return self.promises.add(signed, record, state, epoch, now)
            case Duties():
                return self._add_duties(signed, record, state, epoch, now)
            case Evidence() | Unanswered():
                return self._add_result(signed, record, state, now)
            case Scoring():
                return self._add_scoring(signed, record, state)
            case Attestation():
                return self._add_attestation(signed, record, state, now)
            case SpeedReport():
                if (record.epoch, record.member) in self._speeds:
                    return False
                open_report(signed, state, max(epoch, record.epoch + 1))  # clocks differ
                self._speeds[record.epoch, record.member] = signed
                return True
            case CommitteeChange():
                return self.claims.add_change(signed, state, epoch)
            case _:
                raise VerificationError("A vote or proposal stands where a record of a verifier belongs.")

    def expect(self, epoch: int, member: bytes, output: bytes) -> None:
        """The VRF output behind this machine's own duties, which nobody else knows before they are shown."""
        self._own[epoch, member] = output

    def is_early(self, digest: bytes, state: ChainState) -> bool:
        """Whether nobody else could see yet that its author had the duty of which this is the result."""
        opened = self._opened.get(digest)
        return opened is not None and not self._had_duty(opened, state)

    def _had_duty(self, opened: Opened, state: ChainState, own: bytes | None = None) -> bool:
        epoch, member = opened.challenge.epoch, opened.challenge.member
        found = state.epochs.get(epoch)
        output = self.output_of(epoch, member, state) or own
        return found is not None and may_check(found.basis, member, opened.asked, output, _index(opened))

    def record_of(self, digest: bytes) -> SignedRecord | None:
        """Evidence or an unanswered challenge."""
        return self._by_digest.get(digest)

    def challenges_done(self, epoch: int, member: bytes) -> set[int]:
        """Which of its challenges for an epoch a member has shown, with or without an answer."""
        return {_index(self._opened[digest]) for digest in self._results.get((epoch, member), ())}

    def material(self, since: float = math.inf) -> Material:
        """All of it, for a block; of results those that all others have, too, as they have been here ``since`` then."""
        return Material(
            commitments=list(self.promises),
            duties=list(self._duties.values()),
            records=[self._by_digest[digest] for digest in self._results_since(since)],
            opened=self._opened,
            attestations={digest: self._attested(digest) for digest in self._attestations},
            scorings={digest: signed for digest, (signed, _) in self._scorings.items()},
            contradictions=self.claims.contradictions,
            hidden=self.claims.hidden,
            changes=self.claims.changes,
            speeds=list(self._speeds.values()),
        )

    def held(self, since: float) -> Material:
        """Duties and results that have been here ``since`` then, with what has been said of them until then: what a
        block must not leave out. Of who has shown more than is kept, everybody may have something else."""
        results = [digest for digest in self._results_since(since) if self._key_of(digest) not in self._overfull]
        return Material(
            duties=[signed for key, signed in self._duties.items() if self._told.since(key) <= since],
            records=[self._by_digest[digest] for digest in results],
            opened=self._opened,
            attestations={digest: self._attested(digest, since) for digest in results if digest in self._attestations},
        )

    def _results_since(self, since: float) -> list[bytes]:
        subjects = {digest: _subject(opened) for digest, opened in self._opened.items()}
        return [one for one, what in subjects.items() if self._told.is_alone(what) and self._told.since(what) <= since]

    def _key_of(self, digest: bytes) -> Key:
        challenge = self._opened[digest].challenge
        return challenge.epoch, challenge.member

    def _attested(self, digest: bytes, since: float = math.inf) -> list[SignedRecord]:
        """The scores of this evidence that have been here ``since`` then, of those who say the same to everybody."""
        epoch, _ = self._key_of(digest)
        given = self._attestations.get(digest, {})
        subjects: dict[bytes, Subject] = {member: (epoch, digest, member) for member in given}
        alone = [member for member, one in subjects.items() if self._told.is_alone(one)]
        return [given[member] for member in alone if self._told.since(subjects[member]) <= since]

    def of_member(self, member: bytes, state: ChainState) -> list[SignedRecord]:
        """What this member itself has signed and no block contains, to be told again to who may have missed it."""
        soonest = state.epoch + 2  # the next block is of a later epoch, and promises what comes behind that
        found = self.promises.of_member(member, soonest)
        found += (signed for (_, key), signed in self._duties.items() if key == member)
        found += (signed for (_, key), signed in self._speeds.items() if key == member)
        for (_, key), results in self._results.items():
            if key == member:
                told = {digest: self._opened[digest] for digest in results if not self.is_early(digest, state)}
                found += (results[digest] for digest, opened in told.items() if not _is_done(opened, state))
        found += (signed for signed, opened in self._scorings.values() if opened.scoring.member == member)
        found += self.claims.of_member(member)
        attested = [digest for digest, given in self._attestations.items() if member in given]
        found += (self._attestations[digest][member] for digest in attested if not self.is_early(digest, state))
        return found

    def decided(self, state: ChainState, block: bytes) -> None:
        """A block is certified: what it contains, and what is too old for any later one, is forgotten. Its evidence is
        kept for its epochs, as others may ask for it."""
        decoded = block_decoder.decode(block)
        for entry in decoded.entries:
            self._attestations.pop(entry.evidence, None)
            self._scorings.pop(entry.evidence, None)
        oldest = state.epoch + 1 - WINDOW
        members = set(state.members)
        self.promises.decided(state, members)
        for key in [key for key in self._duties if key[0] < oldest or key[1] not in members]:
            del self._duties[key]
        self.claims.decided(state)
        for key in [key for key in self._speeds if _is_reported(state, key)]:
            del self._speeds[key]
        for key in [key for key in self._results if key[0] < oldest]:
            for digest in self._results.pop(key):
                self._by_digest.pop(digest, None)
                self._opened.pop(digest, None)
                self._attestations.pop(digest, None)
                self._scorings.pop(digest, None)
        self._told.forget(oldest)
        self._overfull = {key for key in self._overfull if key[0] >= oldest}
        self._proofs = Counter({key: count for key, count in self._proofs.items() if key[0] >= oldest})
        self._forged = Counter({key: count for key, count in self._forged.items() if key[0] >= oldest})
        self._own = {key: output for key, output in self._own.items() if key[0] >= oldest}
        self._outputs = {key: output for key, output in self._outputs.items() if key[0] >= oldest}

    def scoring_of(self, evidence: bytes) -> OpenedScoring | None:
        """What drawn nodes have found of this evidence, as far as it is here."""
        found = self._scorings.get(evidence)
        return found[1] if found is not None else None

    def output_of(self, epoch: int, member: bytes, state: ChainState) -> bytes | None:
        """Of a member's VRF for an epoch, where it has shown its duties here or in a block."""
        found = state.epochs.get(epoch)
        shown = found.outputs.get(member) if found is not None else None
        return shown if shown is not None else self._outputs.get((epoch, member))

    def unfinished(self, member: bytes, state: ChainState) -> list[tuple[OpenedEvidence, int]]:
        """Evidence of this member that no block contains and nobody has been asked to score, with the number of its
        attestations, the oldest first."""
        found = [
            (opened, len(self._attestations.get(digest, ())))
            for (_, key), results in self._results.items()
            if key == member
            for digest in results
            if isinstance(opened := self._opened[digest], OpenedEvidence)
            and digest not in self._scorings
            and not _is_done(opened, state)
        ]
        return sorted(found, key=lambda one: (one[0].evidence.epoch, one[0].digest))

    def unscored(self, member: bytes, state: ChainState, late: int) -> list[OpenedEvidence]:
        """Evidence that this member has to score and has not scored, in the order in which blocks take it. Of epoch
        ``late`` and earlier ones that is also what it was drawn for in reserve, where the first have not agreed."""
        found = [
            opened
            for digest, opened in self._opened.items()
            if isinstance(opened, OpenedEvidence)
            and member not in self._attestations.get(digest, {})
            and not _is_done(opened, state)
            and opened.evidence.member in state.members
            and self._told.is_alone(_subject(opened))
            and self._has_to_score(member, opened, state, late)
        ]
        return sorted(found, key=lambda opened: fair_place(state, opened))

    def _has_to_score(self, member: bytes, opened: OpenedEvidence, state: ChainState, late: int) -> bool:
        drawn = _scorers(opened, state)
        if member in drawn[: faulty(len(state.members)) + 1]:
            return True
        known_in = opened.evidence.epoch + (not self._was_public(opened, state))
        if member not in drawn or known_in > late:
            return False
        given = self._attested(opened.digest)
        own = state.related(opened.evidence.epoch, opened.node)
        return make_entry(opened, given, state.members, state.network_id, related=own) is None

    def _was_public(self, opened: Opened, state: ChainState) -> bool:
        """Whether everybody knew of the duty in its epoch, and not after it only."""
        found = state.epochs.get(opened.challenge.epoch)
        return found is not None and has_duty(found.basis, opened.challenge.member, opened.asked, None)

    def _add_duties(self, signed: SignedRecord, record: Duties, state: ChainState, epoch: int, now: float) -> bool:
        key = (record.epoch, record.member)
        if key in self._duties:
            return False
        wanted_duties(signed, state, epoch)
        if self._proofs[key] < MAX_PROOFS:
            open_record(signed, Duties, state.network_id)  # nobody else uses up this member's proofs
        if self._proofs[key] >= MAX_PROOFS:
            raise VerificationError(f"A member has shown {MAX_PROOFS} proofs of duties of one epoch that do not hold.")
        self._proofs[key] += 1
        _, self._outputs[key] = shown_output(signed, state, epoch)
        self._duties[key] = signed
        self._told.take(key, digest_of(signed), now)
        self._told.count_from(now, *key)
        return True

    def _add_result(self, signed: SignedRecord, record: Evidence | Unanswered, state: ChainState, now: float) -> bool:
        digest = digest_of(signed)
        if digest in self._by_digest:
            return False
        key = (record.epoch, record.member)
        kept = self._results.get(key, {})
        size = sum(len(one.record) for one in kept.values()) + len(signed.record)
        is_full = len(kept) >= MAX_EVIDENCE or size > MAX_EVIDENCE_BYTES
        too_many = f"A member shows more than {MAX_EVIDENCE} results of one epoch, or too long ones."
        if is_full and key in self._overfull:
            raise VerificationError(too_many)
        opened: Opened
        if isinstance(record, Evidence):
            opened = open_evidence(signed, state.genesis, state.network_id, state.commitment_of)
        else:
            opened = open_unanswered(signed, state.network_id, state.commitment_of)
        if not self._had_duty(opened, state, self._own.get(key)):
            raise VerificationError("A member shows a result of a duty that it had not, or that it has not shown yet.")
        if is_full:
            self._overfull.add(key)
            raise VerificationError(too_many)
        subject = _subject(opened)
        if not self._told.wants(subject, digest):
            raise VerificationError("A member shows more than two results of one turn.")
        self._told.take(subject, digest, now)
        self._opened[digest] = opened
        self._by_digest[digest] = signed
        self._results.setdefault(key, {})[digest] = signed
        return True

    def _add_scoring(self, signed: SignedRecord, record: Scoring, state: ChainState) -> bool:
        opened = self._opened.get(record.evidence)
        if not isinstance(opened, OpenedEvidence):
            raise VerificationError("A scoring is about evidence that is not here.")
        found = state.epochs.get(opened.evidence.epoch)
        if record.evidence in self._scorings or found is None or _is_done(opened, state):
            return False
        key = (opened.evidence.epoch, opened.evidence.member)
        if (output := self._outputs.get(key)) is not None:
            found = with_outputs(found, {opened.evidence.member: output})
        scoring = check_scoring(opened, signed, found, state.members, state.network_id)
        self._scorings[record.evidence] = (signed, scoring)
        return True

    def _add_attestation(self, signed: SignedRecord, record: Attestation, state: ChainState, now: float) -> bool:
        opened = self._opened.get(record.evidence)
        if not isinstance(opened, OpenedEvidence):
            raise VerificationError("An attestation is about evidence that is not here.")
        subject, digest = (opened.evidence.epoch, record.evidence, record.member), digest_of(signed)
        if not self._told.wants(subject, digest) or _is_done(opened, state):
            return False
        if record.member not in _scorers(opened, state):
            raise VerificationError("An attestation is by a member that was not drawn to score this answer.")
        if record.model != opened.request.model_digest:
            raise VerificationError("An attestation is of another version of the model than the answer was asked of.")
        open_attestations([signed], state.members, state.network_id)
        self._attestations.setdefault(record.evidence, {}).setdefault(record.member, signed)
        self._told.take(subject, digest, now)
        return True


def _is_reported(state: ChainState, key: Key) -> bool:
    """Whether blocks have these speeds, or can take them no more."""
    found = state.epochs.get(key[0])
    return found is None or key[1] in found.reported or key[1] not in state.members


def _scorers(opened: OpenedEvidence, state: ChainState) -> tuple[bytes, ...]:
    own = state.related(opened.evidence.epoch, opened.node)
    return scorers(state.members, opened.digest, opened.evidence.member, opened.node, own)


def _subject(opened: Opened) -> Subject:
    """The turn of a duty of which this is a result."""
    turn = opened.evidence.turn if isinstance(opened, OpenedEvidence) else _UNANSWERED
    return opened.challenge.epoch, opened.challenge.member, opened.asked, turn


def _index(opened: Opened) -> int:
    """The place of its challenge in its member's promise."""
    return opened.evidence.index if isinstance(opened, OpenedEvidence) else opened.unanswered.index


def _is_done(opened: Opened, state: ChainState) -> bool:
    """Whether a block has said what came of it."""
    challenge = opened.challenge
    member = opened.evidence.member if isinstance(opened, OpenedEvidence) else opened.unanswered.member
    found = state.epochs.get(challenge.epoch)
    done = found.done.get((member, opened.asked)) if found is not None else None
    if isinstance(opened, OpenedUnanswered) and opened.broken:
        return found is not None and (member, opened.asked) in found.broken
    if done is None:
        return False
    return opened.evidence.turn in done.turns if isinstance(opened, OpenedEvidence) else True
