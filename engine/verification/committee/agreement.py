"""One height: the members agree on one block. Pure.

Tendermint (Buchman, Kwon, Milosevic, arXiv 1807.04938), algorithm 1; comments name its lines. Differences:

- Its messages reach everybody in the end; links do not promise that. So members tell each other again and again
  which votes of their round they hold (``CommitteeHave``), and get what they lack. A quorum of prevotes goes as a whole
  (``CommitteePrevotes``): an equivocator that shows everybody other votes cannot hide it.
- What counts as "f + 1 messages of a later round" (line 55) is f + 1 members that have signed something of that round
  or a later one.
- A quorum of prevotes that is seen late still makes its block *valid* (line 42), though nobody locks on it any more.
- A block for which a quorum has prevoted is valid for who lacks its evidence, too: f + 1 honest members have looked at
  that. Else one that shows its evidence to some only could have these lock on a block that the others refuse for ever.
- What this member has signed is remembered before it is sent, and given back at construction.

Bounded whatever is sent: a few rounds around the present one, of each at most two votes of a member and three
proposals. Of later rounds only their number is kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

from engine.crypto.identity import Identity, verify
from engine.verification.committee.ballots import Round
from engine.verification.committee.block_judge import BlockJudge, Validate
from engine.verification.committee.committee import NO_BLOCK, Committee, sign
from engine.verification.committee.effects import (
    Decided,
    Effect,
    Held,
    Memory,
    Refused,
    Remember,
    Send,
)
from engine.verification.committee.hearing import Hearing
from engine.verification.committee.sharing import have, lacking
from engine.verification.committee.state import (
    LAST_ROUND,
    PRECOMMIT,
    PREVOTE,
    PROPOSE,
    Known,
)
from engine.verification.committee.timing import Timing
from engine.verification.quorums import Check
from engine.wire.blocks import (
    Certificate,
    CertifiedBlock,
    CommitteeBlock,
    CommitteeHave,
    CommitteeNews,
    CommitteePrevotes,
    Proposal,
    Vote,
    agreement_decoder,
)
from engine.wire.signed import SignedRecord

Propose = Callable[[int], bytes | None]
"""The block of a round that this member leads; None if it has none to offer."""
Message = CommitteeNews | CommitteePrevotes | CommitteeHave | CommitteeBlock


class Agreement:
    """One member's end of one height. The driver carries effects out in their order, calls :meth:`tick` at
    :meth:`next_deadline`, and throws the machine away once it has :class:`Decided`."""

    def __init__(
        self,
        identity: Identity,
        committee: Committee,
        height: int,
        *,
        propose: Propose,
        validate: Validate,
        validate_seen: Validate | None = None,
        timing: Timing,
        start: float,
        memory: Memory | None = None,
        abstains: bool = False,
        check: Check = verify,
    ) -> None:
        """``validate_seen``: the same as ``validate`` (which it is if it is None) of a block for which a quorum has
        prevoted, so that nothing has to be here that only some have. ``start``: when this member begins by itself; it
        begins earlier where f + 1 others have. ``memory``: what was last to be remembered of this height.
        ``abstains``: it may have signed what it has no memory of, so it follows and signs nothing."""
        index = committee.index(identity.public_key)
        assert index is not None
        self.height = height
        self.round = -1
        self.decided: CertifiedBlock | None = None
        self._identity = identity
        self._committee = committee
        self._me = index
        self._propose_block = propose
        self._timing = timing
        self._start = start
        self._abstains = abstains
        self._known = Known(committee)
        self._hearing = Hearing(committee, height, self._known, check)
        self._judgements = BlockJudge(committee, height, validate, validate_seen or validate)
        self._step = PROPOSE
        self._locked: Held | None = None
        self._valid: Held | None = None
        self._own: tuple[tuple[int, SignedRecord], ...] = ()  # (round, what was signed), of the last two rounds
        self._until: dict[int, float] = {}  # step -> when its time is over
        self._next_repeat = start
        self._answered: dict[int, float] = {}
        self._effects: list[Effect] = []
        if memory is not None and memory.height == height:
            self._recall(memory)

    # ------------------------------------------------------------------------------------------------ for the driver

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """A message from the linked member with this index."""
        if self.decided is None:
            match message:
                case CommitteeNews():
                    self._hear(message.item)
                case CommitteePrevotes():
                    self._hearing.quorum(message)
                case CommitteeHave() if message.height == self.height:
                    self._answer(sender, message, now)
                case CommitteeBlock():
                    self._hear_certified(CertifiedBlock(message.block, message.certificate))
            self._advance(now)
        return self._taken()

    def certified(self, block: CertifiedBlock) -> list[Effect]:
        """A block of this height that was fetched elsewhere; ``dropped`` counts it if it proves nothing."""
        if self.decided is None:
            self._hear_certified(block)
        return self._taken()

    def tick(self, now: float) -> list[Effect]:
        """Time has passed."""
        if self.decided is None:
            self._advance(now)
        if self.decided is None and self.round >= 0 and now >= self._next_repeat:
            self._next_repeat = now + self._timing.repeat
            self._effects.append(Send(None, have(self._known, self.height, self.round, self._block)))
        return self._taken()

    def next_deadline(self) -> float | None:
        """When :meth:`tick` is due; None once it has decided."""
        if self.decided is not None:
            return None
        return self._start if self.round < 0 else min(self._next_repeat, *self._until.values(), float("inf"))

    def abstain(self) -> None:
        """Sign nothing more: what was signed cannot be remembered."""
        self._abstains = True

    @property
    def dropped(self) -> Counter[str]:
        """Why messages did not count, and how many."""
        return self._hearing.dropped

    @property
    def memory(self) -> Memory:
        """What has to be known after a restart."""
        records = tuple(item for _, item in self._own)
        return Memory(self.height, max(self.round, 0), records, self._locked, self._valid)

    # --------------------------------------------------------------------------------------------------- what arrives

    def _hear(self, item: SignedRecord) -> None:
        found = self._hearing.record(item, self.round)
        if found is not None:
            self._effects.append(found)

    def _hear_certified(self, block: CertifiedBlock) -> None:
        if self._hearing.certified(block):
            self._decide(block)

    def _answer(self, member: int, have: CommitteeHave, now: float) -> None:
        """Send what another member of this or an earlier round lacks."""
        if now < self._answered.get(member, float("-inf")) + self._timing.repeat / 4:
            self._hearing.dropped["too fast"] += 1
            return
        self._answered[member] = now
        self._effects += (Send(member, message) for message in lacking(self._known, self.height, self.round, have))

    # ---------------------------------------------------------------------------------------------------------- rules

    def _advance(self, now: float) -> None:
        """Until no rule of the algorithm applies any more."""
        while self.decided is None and (self._completed() or self._skip(now) or self._follow(now)):
            pass

    def _follow(self, now: float) -> bool:
        """The rules that hold once it has begun."""
        if self.round < 0:
            return False
        here = self._known.round(self.round)
        return (
            self._judge(here)
            or self._find_valid()
            or self._lock()
            or self._give_up(here)
            or self._wait(here, now)
            or self._time_over(now)
        )

    def _completed(self) -> bool:
        """Lines 49 to 54: a quorum of precommits for a block that is here."""
        for number, one in self._known.rounds.items():
            digest = one.precommits.majority
            block = self._block(digest) if digest else None
            if digest and block is not None:
                certificate = Certificate(self.height, number, digest, one.precommits.signatures(digest))
                self._decide(CertifiedBlock(block, certificate))
                return True
        return False

    def _skip(self, now: float) -> bool:
        """Lines 55 and 56, and the start."""
        later = min(self._known.round_of_others(), LAST_ROUND)
        if later > self.round:
            self._begin(later, now)
            return True
        if self.round < 0 and now >= self._start:
            self._begin(0, now)
            return True
        return False

    def _begin(self, number: int, now: float) -> None:
        """Lines 11 to 21: begin a round."""
        self.round, self._step = number, PROPOSE
        self._own = tuple((one, item) for one, item in self._own if one >= number - 1)
        self._until = {PROPOSE: now + self._timing.wait(number)}
        self._known.forget(number)
        self._judgements.begin_round(lambda digest: self._block(digest) is not None)
        self._next_repeat = min(self._next_repeat, now + self._timing.repeat)
        if self._committee.leader(number) == self._me and not self._abstains:
            self._propose()

    def _propose(self) -> None:
        valid = self._valid
        if valid is not None:
            quorum = CommitteePrevotes(self.height, valid.round, _digest(valid.block), valid.signatures)
            self._effects.append(Send(None, quorum))
        block = valid.block if valid is not None else self._propose_block(self.round)
        if block is None:
            return
        valid_round = valid.round + 1 if valid is not None else 0
        self._say(Proposal(self._committee.network_id, self.height, self.round, valid_round, block))

    def _judge(self, here: Round) -> bool:
        """Lines 22 to 33: prevote for what is proposed, or against it."""
        if self._step != PROPOSE:
            return False
        for offered in here.proposals:
            proposal, valid_round = offered.proposal, offered.proposal.valid_round - 1
            if self._known.can_judge(offered):
                good = self._is_valid(offered.digest, proposal.block, valid_round)
                good = good and self._is_free(proposal.block, valid_round)
                self._vote(PREVOTE, offered.digest if good else NO_BLOCK)
                return True
        return False

    def _is_free(self, block: bytes, valid_round: int) -> bool:
        """Lines 23 and 29: whether the lock allows a vote for a block that was found valid in ``valid_round``."""
        locked = self._locked
        return locked is None or locked.round <= valid_round or locked.block == block

    def _find_valid(self) -> bool:
        """Lines 36, 42 and 43: the newest block that a quorum has prevoted for."""
        for number in self._known.rounds_with_quorum():
            if number > self.round or (self._valid is not None and number <= self._valid.round):
                continue
            digest = self._known.quorum_of(number)
            block = self._block(digest)
            if digest is not None and block is not None and self._is_valid(digest, block, number):
                self._valid = Held(number, block, self._known.quorum_signatures(number))
                return True
        return False

    def _lock(self) -> bool:
        """Lines 36 to 41: lock on what a quorum has prevoted for in this round, and precommit to it."""
        valid = self._valid
        if self._step != PREVOTE or valid is None or valid.round != self.round:
            return False
        self._locked = valid
        self._vote(PRECOMMIT, _digest(valid.block))
        return True

    def _give_up(self, here: Round) -> bool:
        """Lines 44 to 46: a quorum has prevoted for none."""
        if self._step != PREVOTE or here.prevotes.majority != NO_BLOCK:
            return False
        self._vote(PRECOMMIT, NO_BLOCK)
        return True

    def _wait(self, here: Round, now: float) -> bool:
        """Lines 34, 35, 47 and 48: a quorum has voted, for whatever; wait for the rest, but not for ever."""
        quorum, until = self._committee.quorum, now + self._timing.wait(self.round)
        has_prevotes = here.prevotes.voters >= quorum or self._known.quorum_of(self.round) is not None
        if self._step == PREVOTE and has_prevotes and PREVOTE not in self._until:
            self._until[PREVOTE] = until
            return True
        if here.precommits.voters >= quorum and PRECOMMIT not in self._until:
            self._until[PRECOMMIT] = until
            return True
        return False

    def _time_over(self, now: float) -> bool:
        """Lines 57 to 67."""
        over = [step for step, until in self._until.items() if until <= now]
        for step in over:
            self._until[step] = float("inf")
            if step == PRECOMMIT and self.round < LAST_ROUND:
                self._begin(self.round + 1, now)
                return True  # the times are those of the new round
            if step == PROPOSE and self._step == PROPOSE:
                self._vote(PREVOTE, NO_BLOCK)
            elif step == PREVOTE and self._step == PREVOTE:
                self._vote(PRECOMMIT, NO_BLOCK)
        return bool(over)

    # ----------------------------------------------------------------------------------------------------- what is said

    def _vote(self, step: int, digest: bytes) -> None:
        self._step = step
        if not self._abstains:
            self._say(Vote(self._committee.network_id, self.height, self.round, step == PRECOMMIT, digest))

    def _say(self, record: Proposal | Vote) -> None:
        """Remember, then send."""
        item = sign(self._identity, self._committee.network_id, record)
        self._own = (*self._own, (self.round, item))
        self._known.heard_of(self._me, record.round)
        self._known.add(self._me, item, record)
        self._effects += (Remember(self.memory), Send(None, CommitteeNews(item)))

    def _decide(self, block: CertifiedBlock) -> None:
        self.decided = block
        self._effects.append(Decided(block))

    def _recall(self, memory: Memory) -> None:
        """Go on where it was; what it had said then it says again, in the same words."""
        self.round = memory.round
        self._locked, self._valid = memory.locked, memory.valid
        self._until = {PROPOSE: self._start + self._timing.wait(self.round)}
        for item in memory.records:
            record = agreement_decoder.decode(item.record)
            self._known.heard_of(self._me, record.round)
            self._known.add(self._me, item, record)
            self._own = (*self._own, (record.round, item))
            self._effects.append(Send(None, CommitteeNews(item)))
            if isinstance(record, Vote) and record.round == self.round:
                self._step = max(self._step, PRECOMMIT if record.precommit else PREVOTE)
        for held in (self._locked, self._valid):
            if held is not None:
                self._judgements.has_found_valid(_digest(held.block))
                self._known.add_quorum(held.round, _digest(held.block), held.signatures)

    def _taken(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects

    # --------------------------------------------------------------------------------------------------------- blocks

    def _block(self, digest: bytes | None) -> bytes | None:
        held = [one.block for one in (self._locked, self._valid) if one is not None and _digest(one.block) == digest]
        if held or not digest:
            return held[0] if held else None
        offered = self._known.offered(digest)
        return offered.proposal.block if offered is not None else None

    def _is_valid(self, digest: bytes, block: bytes, valid_round: int) -> bool:
        """Whether a block can be voted for, which was found valid in ``valid_round`` (below 0: it is new)."""
        found = self._judgements.judge(digest, block, self.round, valid_round)
        if found.is_new:
            self._effects.append(Refused(digest, found.reason or ""))
        return found.reason is None


def _digest(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()
