"""A member of the committee checks nodes: it plans and promises an epoch's challenges, asks them as any client does,
shows what came of them, scores what others show, and has blocks made and checked of it all.

Agreement on blocks is not here: whoever drives ``engine.verification.committee`` gives it :meth:`VerifierRole.propose`
and :meth:`refusal`, calls :meth:`decided`, passes on what :attr:`tell` is given, and brings what other members say to
:meth:`heard`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Sequence

from engine.clock import Clock
from engine.crypto.ecvrf import prove
from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.node.attesting import Attesting
from engine.node.capacity_role import CapacityRole
from engine.node.checkable import Checkable
from engine.node.checking import Checking, Conversations
from engine.node.handing_out import HandingOut
from engine.node.verifier_store import VerifierStore
from engine.verification.chain.block import check_block, make_block
from engine.verification.chain.owed import TAKEN_AFTER, last_owing_round, left_out
from engine.verification.chain.promises import HELD_FOR
from engine.verification.chain.records import RecordBook
from engine.verification.chain.replay import records_named
from engine.verification.chain.results import MissingRecordError
from engine.verification.chain.state import WINDOW, ChainState
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.challenges.plan import EpochPlan, Planned, duties_of, plan_epoch
from engine.verification.challenges.pool import Pool
from engine.verification.epochs import epoch_at, epoch_begins
from engine.verification.members import duties_alpha, most_kin
from engine.verification.signing import Judging, digest_of, is_passed_on, sign_record
from engine.wire.blocks import MAX_CHANGES, Block, block_decoder
from engine.wire.challenges import Attestation, ChallengeCommitment, Duties, Score
from engine.wire.signed import SignedRecord

logger = logging.getLogger(__name__)
LOOKS = 60
"""Times an epoch at which it is looked what is due."""
MOST_LOOK_SECONDS = 2.0
PROMISE_AT = 0.25
"""Of an epoch: from then on the next one's challenges are promised."""
REPEATS = 6
"""Times an epoch that what no block contains yet is told again: links lose, and members begin anew."""
SCORE_IN_RESERVE_AT = 0.65
"""Of an epoch: from then on its answers are scored by further members where the first have not agreed."""


class VerifierRole:
    """Own it with :meth:`run`. ``score`` computes what an answer is worth (a ``GenTorrentError`` if it cannot);
    ``tell`` sends a record to all other members."""

    def __init__(
        self,
        identity: Identity,
        state: ChainState,
        pool: Pool,
        chats: Conversations,
        score: Callable[[OpenedEvidence], Awaitable[Score]],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._identity = identity
        self._pool = pool
        self._clock = clock
        self._random_bytes = random_bytes
        self.checkable = Checkable(identity.node_id, random_bytes)
        self._plans: dict[int, EpochPlan] = {}
        self._promised: dict[int, ChallengeCommitment] = {}
        self._begun: set[int] = set()
        self._shown: set[int] = set()
        self._told = -math.inf
        self._lots: dict[int, bytes] = {}  # of this member's VRF, by epoch
        self._forgotten = -1
        self._in_reserve = -1
        self._store: VerifierStore | None = None
        self.state = state
        self.book = RecordBook()
        self.tell: Callable[[SignedRecord], None] = lambda _: None
        self.doubted: frozenset[NodeId] = frozenset()
        """Whose answers users doubt, by their samples."""
        self.handing_out = HandingOut(identity, self.book, self._holds)
        """What becomes of answers that cannot be scored here."""
        self.capacity = CapacityRole(identity, clock)
        """How claimed speeds are tested."""
        member = identity.public_key
        self._checking = Checking(member, state.network_id, state.genesis, chats, clock, self._publish)
        self._attesting = Attesting(
            member,
            self.book,
            self.handing_out,
            score,
            self._publish,
            state=lambda: self.state,
            late=lambda: self._late,
            holds=self._holds,
        )

    # -------------------------------------------------------------------------------------------- what is told here

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot: who is listed with a model can be checked."""
        self.handing_out.directory = self.capacity.directory = directory
        self.checkable.update(directory, self.state.standings)

    def heard(self, signed: SignedRecord, sender: bytes | None = None) -> str:
        """Another member says something, and ``sender`` has passed it on; the reason why it is not taken, or nothing.
        What blocks must not leave out is passed on, so that nobody can show it to some only."""
        try:
            if self._take(signed, sender) and is_passed_on(signed):
                self.tell(signed)
        except VerificationError as error:
            return str(error)
        return ""

    def recall(self, store: VerifierStore) -> None:
        """Go on with what an earlier run has kept, and keep everything from now on. The chain is here already."""
        epoch, member = self.epoch, self._identity.public_key
        self._expect()
        for signed in store.records():
            try:
                self.book.add(signed, self.state, epoch, self._clock.monotonic())
            except VerificationError as error:
                logger.debug("a kept record has no use any more: %s", error)
        self._attesting.look_again()
        self._store = self._checking.turns = store
        for plan in store.plans():
            if plan.epoch >= epoch - 1:
                self._plans[plan.epoch] = plan
                promise = plan.promise(self.state.network_id, member)
                self._promised[plan.epoch] = promise
                if plan.epoch > max(epoch, self.state.epoch + 1) and member in self.state.members:
                    self._publish(promise)  # the end may have come between planning and telling

    def decided(self, state: ChainState, block: bytes) -> None:
        """The committee has agreed on a block, after which this is the state."""
        self.state = state
        self.book.decided(state, block)
        self._expect()
        self._attesting.look_again()

    # ------------------------------------------------------------------------------------------------ blocks of it all

    def propose(self, round_number: int) -> bytes | None:
        """The block of the present epoch, by the leader of a round; None while there can be none (the epoch has its
        block already)."""
        try:
            return make_block(
                self.state,
                self.book.material(self._clock.monotonic() - TAKEN_AFTER * self._seconds),
                epoch=self.epoch,
                round_number=round_number,
                proposer=self._identity,
                issued=int(self._clock.wall()),
            )
        except VerificationError as error:
            logger.info("no block is proposed: %s", error)
            return None

    def refusal(self, encoded: bytes, *, seen: bool = False) -> str | None:
        """Why this member does not vote for a block, after a look at everything in it, its evidence, its epoch and what
        it leaves out too (not where a quorum has ``seen`` that); None if it does."""
        record_of = None if seen else self.book.record_of
        try:
            check_block(self.state, encoded, record_of=record_of, now=self._clock.wall(), is_new=not seen)
        except MissingRecordError as error:
            self._tell_what_lacks(block_decoder.decode(encoded))
            return str(error)
        except VerificationError as error:
            return str(error)
        return None if seen else self._left_out(block_decoder.decode(encoded))

    def _left_out(self, block: Block) -> str | None:
        now = self._clock.monotonic()
        promised, results = self.book.promises.left_out(block, self.state, now), 0
        if block.round <= last_owing_round(len(self.state.members)):
            results = len(left_out(block, self.state, self.book.held(now - HELD_FOR * self._seconds)))
        if not promised and not results:
            return None
        self._tell_what_lacks(block)
        return f"The block leaves out what its leader must have had: {promised} commitments, {results} results."

    def _tell_what_lacks(self, block: Block) -> None:
        """Whoever makes the next one shall have it."""
        lacking = self.book.promises.lacked_by(block, self.state)
        with contextlib.suppress(VerificationError):  # it may not be valid otherwise
            lacking += left_out(block, self.state, self.book.held(math.inf))
        for signed in lacking:
            self.tell(signed)

    def records_of(self, encoded: bytes) -> list[SignedRecord]:
        """The evidence that a block names, as far as it is here."""
        found = (self.book.record_of(digest) for digest in records_named(block_decoder.decode(encoded)))
        return [record for record in found if record is not None]

    # --------------------------------------------------------------------------------------------------------- its life

    @property
    def sleep(self) -> Callable[[float], Awaitable[None]]:
        """How it waits."""
        return self._checking.sleep

    @sleep.setter
    def sleep(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._checking.sleep = sleep

    def _holds(self, digest: bytes) -> bool:
        return self.checkable.holds(digest)

    @property
    def epoch(self) -> int:
        """The one that runs."""
        return epoch_at(self.state.genesis, self._clock.wall())

    async def run(self) -> None:
        """Until cancelled."""
        look = min(MOST_LOOK_SECONDS, self._seconds / LOOKS)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._attesting.run())
            while True:
                epoch = self.epoch
                if self._identity.public_key in self.state.members:
                    self._promise(epoch)
                    for number in (epoch - 1, epoch):  # of the one that is over, what a restart has cut off
                        for planned in self._due(number):
                            committed = self._plans[number].committed
                            tasks.create_task(self._checking.check(number, planned, committed))
                    self._show_duties(epoch)
                    self.handing_out.look(tasks, self.state, epoch)
                    for scoring in self.handing_out.to_show(epoch):
                        self._publish(scoring)
                    self.capacity.look(tasks, self.state, epoch)
                    for report in self.capacity.to_show(epoch, self.state):
                        self._publish(report)
                    self._repeat(epoch)
                if self._late > self._in_reserve:
                    self._in_reserve = self._late
                    self._attesting.look_again()
                self._forget(epoch)
                await self.sleep(look)

    @property
    def _seconds(self) -> float:
        return self.state.genesis.parameters.epoch_seconds

    def _into(self, epoch: int) -> float:
        """Seconds since an epoch began."""
        return self._clock.wall() - epoch_begins(self.state.genesis, epoch)

    @property
    def _late(self) -> int:
        """The newest epoch whose answers should have been scored."""
        epoch = self.epoch
        return epoch if self._into(epoch) >= SCORE_IN_RESERVE_AT * self._seconds else epoch - 1

    def _publish(self, record: Judging) -> bool:
        """Sign, keep and tell, if it has a use."""
        signed = sign_record(self._identity, record)
        try:
            self._take(signed)
        except VerificationError as error:
            logger.warning("a record of this verifier has no use: %s", error)
            return False
        about = record.evidence if isinstance(record, Attestation) else digest_of(signed)
        if not self.book.is_early(about, self.state):  # what is, is told when its duties are shown
            self.tell(signed)
        return True

    def _take(self, signed: SignedRecord, sender: bytes | None = None) -> bool:
        """Into the book, and on the disk before anybody builds on it; whether it is new. ``VerificationError`` for what
        has no use."""
        is_new = self.book.add(signed, self.state, self.epoch, self._clock.monotonic(), sender)
        if is_new:
            if self._store is not None:
                self._store.keep(signed)
            self._attesting.look_again()
        return is_new

    def _promise(self, epoch: int) -> None:
        """The challenges of the next epoch, as long as they can still come into this one's block."""
        coming = epoch + 1
        if coming in self._plans or self.state.epoch >= epoch or self._into(epoch) < PROMISE_AT * self._seconds:
            return
        member = self._identity.public_key
        plan = plan_epoch(
            self._pool,
            coming,
            member,
            self.checkable.candidates(),
            self.state.standings,
            self._seconds,
            self._random_bytes,
            self.checkable.kin(),
            self.doubted,
            most_kin(len(self.state.members) + 2 * MAX_CHANGES),  # it may have grown by then
        )
        if plan is None:
            return
        self._plans[coming] = plan
        if self._store is not None:
            self._store.keep_plan(plan)
        promise = plan.promise(self.state.network_id, member)
        self._promised[coming] = promise
        self._publish(promise)

    def knows(self, node: NodeId) -> bool:
        """Whether a node is listed, or a block has judged it."""
        return node in self.state.standings or self.checkable.lists(node)

    def _expect(self) -> None:
        """Know what falls to this member in all epochs that are open."""
        self._lots = {epoch: output for epoch, output in self._lots.items() if epoch in self.state.epochs}
        for epoch in self.state.epochs:
            self._lot(epoch)

    def _lot(self, epoch: int) -> bytes:
        """The output of this member's VRF."""
        if epoch not in self._lots:
            member, alpha = self._identity.public_key, self._alpha(epoch)
            self._lots[epoch] = verify_proof(member, alpha, prove(self._identity.seed, alpha))
            self.book.expect(epoch, member, self._lots[epoch])
        return self._lots[epoch]

    def _alpha(self, epoch: int) -> bytes:
        return duties_alpha(self.state.network_id, epoch, self.state.epochs[epoch].basis.output)

    def _due(self, epoch: int) -> Sequence[Planned]:
        """Once an epoch, when the block before it is there: what this member has to ask and has not shown yet."""
        found, plan = self.state.epochs.get(epoch), self._plans.get(epoch)
        member = self._identity.public_key
        if epoch in self._begun or found is None or plan is None:
            return ()
        self._begun.add(epoch)
        if found.basis.commitments.get(member) != self._promised[epoch]:
            return ()  # the block does not say that this was promised: nobody would believe it
        due = duties_of(plan, found.basis, member, self._lot(epoch), without=(self._identity.node_id,))
        done = self.book.challenges_done(epoch, member)
        return [planned for planned in due if planned.index not in done]

    def _show_duties(self, epoch: int) -> None:
        """Of each epoch that is over and still open."""
        for over in [one for one in self.state.epochs if one < epoch and one not in self._shown]:
            self._shown.add(over)
            found, member = self.state.epochs[over], self._identity.public_key
            if member in found.basis.members and member not in found.outputs:
                proof = prove(self._identity.seed, self._alpha(over))
                self._publish(Duties(network_id=self.state.network_id, epoch=over, member=member, proof=proof))
                self._told = -math.inf  # what came of them can be told now

    def _repeat(self, epoch: int) -> None:
        now = self._clock.monotonic()
        if now < self._told + self._seconds / REPEATS:
            return
        self._told = now
        for signed in self.book.of_member(self._identity.public_key, self.state):
            self.tell(signed)

    def _forget(self, epoch: int) -> None:
        for old in [one for one in self._plans if one < epoch - 1]:
            del self._plans[old]
            self._promised.pop(old, None)
        self._begun = {one for one in self._begun if one >= epoch - 1}
        if self._store is not None and epoch > self._forgotten:
            self._forgotten = epoch
            self._store.forget(epoch - WINDOW)
        self._shown = {one for one in self._shown if one in self.state.epochs}
