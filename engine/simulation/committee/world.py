"""One schedule: members, their crashes, the network between them, and what must hold of it."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

from engine.crypto.identity import verify
from engine.errors import VerificationError
from engine.ids import NetworkId
from engine.simulation.committee import rogues
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, identity_of, make_block, validate
from engine.simulation.committee.evidence import (
    ALL_RULES,
    LEAVES_OUT,
    LEAVES_OUT_RESULTS,
    TOLD_AGAIN,
    Exhibits,
    Rules,
    Showing,
)
from engine.simulation.committee.weather import Weather, kind_of, plot
from engine.verification.chain.certificate import check_certificate
from engine.verification.committee.agreement import Agreement, Message
from engine.verification.committee.committee import Committee
from engine.verification.committee.effects import Contradicted, Decided, Effect, Memory, Refused, Remember, Send
from engine.verification.committee.timing import Timing
from engine.verification.contradictions import check_contradiction
from engine.wire.blocks import (
    Block,
    CertifiedBlock,
    CommitteeBlock,
    CommitteeHave,
    CommitteeNews,
    Proposal,
    Vote,
    agreement_decoder,
    block_decoder,
)

TIMING = Timing(first=1.0, growth=0.5, longest=12.0)
PATIENCE = 40.0
"""Longest waits of one step after synchrony, until which everybody must have decided."""
MOST_EVENTS = 400_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What is simulated. The tests put machines here that are wrong in one way, and expect them to be found out.
    ``forgets``: a member that restarts without its memory goes on signing; ``looks`` False: it votes for blocks whose
    evidence it has not got; ``rules``: of what is in blocks."""

    agreement: type[Agreement] = Agreement
    committee: type[Committee] = Committee
    forgets: bool = False
    looks: bool = True
    rules: Rules = ALL_RULES


class Signatures:
    """``verify`` that computes nothing twice: each signature is checked by every member."""

    def __init__(self) -> None:
        self._good: set[tuple[bytes, str, bytes, bytes]] = set()

    def __call__(self, key: bytes, purpose: str, network_id: bytes, signature: bytes, record: bytes) -> None:
        """As ``engine.crypto.identity.verify``."""
        what = (key, purpose, signature, record)
        if what not in self._good:
            verify(key, purpose, network_id, signature, record)
            self._good.add(what)


@dataclass(slots=True)
class Member:
    """One place in the committee. ``disk`` is what it was told to remember."""

    index: int
    kind: str
    actor: rogues.Actor
    is_up: bool = True
    disk: Memory | None = None
    abstains: bool = False
    decided: CertifiedBlock | None = None
    signed: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def is_honest(self) -> bool:
        """Whether it follows the protocol."""
        return self.kind == rogues.HONEST


class World:
    """Runs to the end in :meth:`run`. ``forgetful``: so many honest members lose their disk once; ``kinds``: of faulty
    ones, drawn; ``calm``: messages arrive, nobody crashes, and all have promised before it begins."""

    def __init__(
        self,
        random: Random,
        members: int,
        faulty: int,
        forgetful: int,
        machine: Machine,
        kinds: Sequence[str] = rogues.KINDS,
        *,
        calm: bool = False,
    ) -> None:
        self.random = random
        self.problems: list[str] = []
        self.contradictions = 0
        self.messages = 0
        self.kinds: Counter[str] = Counter()
        self.rounds_at_synchrony = -1
        self.synchrony = 0.0 if calm else random.choice((0.0, 1.0, 1.0, 1.0)) * random.uniform(5.0, 60.0)
        self._machine, self._kinds = machine, kinds
        keys = tuple(identity_of(index).public_key for index in range(members))
        self.committee = machine.committee(NETWORK_ID, keys, random.randbytes(64))
        self._order = [Committee.leader(self.committee, number) for number in range(2 * members)]
        self._plot = plot(random, members)
        self._weather = Weather(random, members, TIMING.first, self.synchrony, self._plot)
        self._check = Signatures()
        self._now = 0.0
        self._events: list[tuple[float, int, object]] = []
        self._numbers = count()
        self._ticks: dict[int, float] = {}
        rogue = frozenset(random.sample(range(members), faulty))
        self._exhibits = Exhibits(random, members, rogue, self._plot.sides, self.synchrony, machine.rules)
        self._made: dict[bytes, float] = {}
        self.refused = self.refused_left_out = self.refused_results = 0
        self.is_evidence_lacked = self.is_broken_off = self.is_left_out = False
        self.members = [self._member(index, index in rogue) for index in range(members)]
        for showing in self._exhibits.showings(calm=calm):
            self._at(showing.at, showing)
        if not calm:
            self._plan_crashes([one for one in self.members if one.is_honest], forgetful)

    # ---------------------------------------------------------------------------------------------------------- making

    def _member(self, index: int, is_rogue: bool) -> Member:
        kind = self.random.choice(self._kinds) if is_rogue else rogues.HONEST
        self.kinds[kind] += 1
        member = Member(index, kind, self._actor(index, kind))
        self._schedule_tick(member)
        if kind == rogues.FORGETFUL:
            for _ in range(3):
                self._at(self.random.uniform(0, max(self.synchrony, 10.0)), ("crash", index, "forgets"))
        return member

    def _actor(self, index: int, kind: str) -> rogues.Actor:
        random = Random(self.random.getrandbits(64))
        members = len(self.committee.members)
        match kind:
            case rogues.SILENT:
                return rogues.Silent()
            case rogues.TWINS:
                machines = (self._agreement(index), self._agreement(index))
                return rogues.Twins(machines, random, self._plot.sides)
            case rogues.WITHHOLDING:
                return rogues.Withholding(self._agreement(index), random, members)
            case rogues.EAGER | rogues.LYING:
                lies = kind == rogues.LYING
                invent = partial(self._exhibits.invent, index)
                return rogues.Eager(index, self.committee, random, TIMING.first, self._plot, invent, lies=lies)
        return self._agreement(index, kind=kind)

    def _agreement(
        self, index: int, memory: Memory | None = None, *, abstains: bool = False, kind: str = rogues.HONEST
    ) -> Agreement:
        is_blind, is_omitting = kind == rogues.BLIND, kind == rogues.OMITTING

        def propose(number: int) -> bytes:
            chosen = self._exhibits.choose(index, number, self._now, is_omitting=is_omitting)
            return make_block(self.committee, index, number, self.random.getrandbits(40), chosen, valid=not is_blind)

        def refusal(block: bytes, *, seen: bool) -> str | None:
            if is_blind or is_omitting:
                return None
            reason = validate(block)
            if reason is not None or seen or not self._machine.looks:
                return reason
            return self._refusal(self.members[index], block_decoder.decode(block))

        return self._machine.agreement(
            identity_of(index),
            self.committee,
            HEIGHT,
            propose=propose,
            validate=partial(refusal, seen=False),
            validate_seen=partial(refusal, seen=True),
            timing=TIMING,
            start=self._now if self._now else self.random.uniform(0, TIMING.first),
            memory=memory,
            abstains=abstains,
            check=self._check,
        )

    def _refusal(self, member: Member, block: Block) -> str | None:
        reason = self._exhibits.refusal(member.index, block, self._now)
        if reason is not None:
            for signed in self._exhibits.told_to_leaders(member.index, block):
                self._send(member, Send(None, CommitteeNews(signed)))
        return reason

    def _plan_crashes(self, honest: list[Member], forgetful: int) -> None:
        """Before synchrony members crash and come back, one by one and many at once."""
        if self.random.random() < 0.3:
            at = self.random.uniform(0, self.synchrony)
            for member in honest:
                if member.index != self._plot.lucky and self.random.random() < 0.9:
                    self._at(at, ("crash", member.index, "restarts"))
        unlucky = self.random.sample(honest, forgetful)
        for member in honest:
            crashes = self.random.choice((0, 0, 1, 3)) if member not in unlucky else 1
            for _ in range(crashes):
                how = "loses its disk" if member in unlucky else "restarts"
                self._at(self.random.uniform(0, self.synchrony), ("crash", member.index, how))

    # --------------------------------------------------------------------------------------------------------- running

    def run(self) -> None:
        """Until everybody has decided, or until it is clear that somebody will not."""
        last_round = None
        for number in range(MOST_EVENTS):
            if not self._events or self._is_over():
                break
            self._now, _, event = heapq.heappop(self._events)
            if last_round is None and self._now >= self.synchrony:
                self.rounds_at_synchrony = max(self._rounds(), default=0)
                last_round = self.rounds_at_synchrony + 2 * len(self.members) + 2
            if self._now > self.synchrony + PATIENCE * TIMING.longest:
                break
            if last_round is not None and number % 64 == 0 and max(self._rounds(), default=0) > last_round:
                break
            self._happen(event)
        self._judge()

    def _happen(self, event: object) -> None:
        match event:
            case ("tick", int(index)):
                member = self.members[index]
                if self._ticks.get(index) == self._now:
                    del self._ticks[index]
                    if member.is_up and member.decided is None:
                        self._carry(member, member.actor.tick(self._now))
                        self._schedule_tick(member)
            case Showing():
                self._show(event)
            case ("message", int(sender), int(receiver), message):
                self._deliver(sender, self.members[receiver], message)  # type: ignore[arg-type]
            case ("crash", int(index), str(how)):
                self._crash(self.members[index], how)
            case ("restart", int(index), str(how)):
                self._restart(self.members[index], how)

    def _deliver(self, sender: int, member: Member, message: Message) -> None:
        if not member.is_up:
            return
        self.messages += 1
        if member.decided is not None:
            if isinstance(message, CommitteeHave):
                block = member.decided
                self._carry(member, [Send(sender, CommitteeBlock(block.block, block.certificate))])
            return
        if isinstance(message, CommitteeNews) and kind_of(message) == "result":
            if self._exhibits.take(member.index, message.item, self._now):
                self._send(member, Send(None, message))
            return
        self._carry(member, member.actor.receive(sender, message, self._now))
        self._schedule_tick(member)

    def _show(self, showing: Showing) -> None:
        """A member tells of a result, and again as long as no block has it. What was lost with a disk is told no
        more."""
        member = self.members[showing.author]
        if member.decided is not None or member.abstains:
            return
        if member.is_up:
            self._exhibits.take(member.index, showing.record, self._now)
            for to in range(len(self.members)) if showing.to is None else showing.to:
                self._send(member, Send(to, CommitteeNews(showing.record)))
        if showing.again:
            self._at(self._now + TOLD_AGAIN * TIMING.first, showing)

    def _carry(self, member: Member, effects: Iterable[Effect]) -> None:
        """Carry effects out in their order; an honest member may crash between two of them."""
        is_stormy = self._now < self.synchrony and member.is_honest and self.random.random() < 0.002
        for effect in effects:
            if is_stormy and self.random.random() < 0.3:
                self._crash(member, "restarts")
                return
            match effect:
                case Remember():
                    member.disk = effect.memory
                case Send():
                    self._send(member, effect)
                case Decided():
                    self._decided(member, effect.certified)
                case Contradicted():
                    self._contradicted(effect)
                case Refused():
                    self.refused += member.is_honest
                    self.refused_left_out += member.is_honest and effect.reason == LEAVES_OUT
                    self.refused_results += member.is_honest and effect.reason == LEAVES_OUT_RESULTS

    def _send(self, member: Member, effect: Send) -> None:
        kind = kind_of(effect.message)
        if member.is_honest and kind != "result":
            self._note(member, effect.message)
        if kind == "proposal":
            self._made.setdefault(_proposed(effect.message), self._now)
        targets = range(len(self.members)) if effect.to is None else (effect.to,)
        for target in targets:
            if target != member.index:
                for at in self._weather.arrivals(member.index, target, kind, self._now):
                    self._at(at, ("message", member.index, target, effect.message))

    def _crash(self, member: Member, how: str) -> None:
        if member.is_up and member.decided is None and not isinstance(member.actor, rogues.Silent):
            member.is_up = False
            back = self._now + self.random.uniform(0, 6.0)
            self._at(min(back, max(self.synchrony, self._now)), ("restart", member.index, how))

    def _restart(self, member: Member, how: str) -> None:
        member.is_up = True
        if how != "restarts" or self._machine.forgets:
            member.disk = None
            self._exhibits.forget(member.index)
        self._exhibits.restart(member.index, self._now)
        # Who has lost its disk does not know what it has signed, and signs nothing more at this height.
        abstains = how == "loses its disk" and not self._machine.forgets
        member.actor = self._agreement(member.index, member.disk, abstains=abstains or member.abstains)
        member.abstains |= abstains
        self._schedule_tick(member)

    def _schedule_tick(self, member: Member) -> None:
        deadline = member.actor.next_deadline()
        if deadline is not None:
            deadline = max(deadline, self._now)
            if self._ticks.get(member.index) != deadline:
                self._ticks[member.index] = deadline
                self._at(deadline, ("tick", member.index))

    def _at(self, time: float, event: object) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def _rounds(self) -> list[int]:
        actors = [one.actor for one in self.members if one.is_honest]
        return [actor.round for actor in actors if isinstance(actor, Agreement)]

    def _is_over(self) -> bool:
        return all(one.decided is not None for one in self.members if one.is_honest)

    # --------------------------------------------------------------------------------------------------- what must hold

    def _note(self, member: Member, message: Message) -> None:
        """No honest member ever signs two votes of one round and step, whatever happens to its machine."""
        if isinstance(message, CommitteeNews) and message.item.key == self.committee.members[member.index]:
            record = agreement_decoder.decode(message.item.record)
            step = (1 + record.precommit) if isinstance(record, Vote) else 0
            if member.signed.setdefault((record.round, step), message.item.record) != message.item.record:
                self.problems.append(f"honest member {member.index} contradicts itself in round {record.round}")

    def _contradicted(self, effect: Contradicted) -> None:
        self.contradictions += 1
        if self.members[effect.member].is_honest and not self._machine.forgets:
            self.problems.append(f"honest member {effect.member} is accused of a contradiction")
        try:
            check_contradiction(effect.contradiction, NetworkId(NETWORK_ID))
        except VerificationError as error:
            self.problems.append(f"what is shown as a contradiction is none: {error}")

    def _decided(self, member: Member, block: CertifiedBlock) -> None:
        member.decided = block
        if not member.is_honest:
            return
        try:
            check_certificate(block.certificate, block.block, HEIGHT, self.committee.members, NETWORK_ID)
        except VerificationError as error:
            self.problems.append(f"member {member.index} decides without a certificate: {error}")
        if validate(block.block) is not None:
            self.problems.append(f"member {member.index} decides on an invalid block")
        found = block_decoder.decode(block.block)
        self.is_evidence_lacked |= self._exhibits.is_lacked(member.index, found)
        self.is_broken_off |= any(one.broken for one in found.unjudged)
        if self._exhibits.is_misread(found):
            self.problems.append(f"member {member.index} decides on something else than its evidence says")
        self.is_left_out |= self._exhibits.watch.lacks(found)
        if self._exhibits.watch.is_left_out(found, self._made[block.certificate.digest]):
            self.problems.append(f"member {member.index} decides on a block that leaves out what it must not")
        if self._exhibits.results.is_left_out(found, self._made[block.certificate.digest]):
            self.problems.append(f"member {member.index} decides on a block that leaves out results")
        if self._exhibits.unseen(found):
            self.problems.append(f"member {member.index} decides on evidence that no honest member has seen")
        if found.round < len(self._order) and found.proposer != self.committee.members[self._order[found.round]]:
            self.problems.append(f"the block of round {found.round} is not its leader's")

    def _judge(self) -> None:
        honest = [one for one in self.members if one.is_honest]
        if len({one.decided.certificate.digest for one in honest if one.decided is not None}) > 1:
            self.problems.insert(0, "two honest members have decided on different blocks")
        waiting = [one.index for one in honest if one.decided is None]
        if waiting:
            self.problems.append(f"members {waiting} have not decided, rounds {self._rounds()}")

    @property
    def promised_in_time(self) -> bool:
        """Whether all had promised, and heard of it, long before the agreement, as where an epoch is calm."""
        return self._exhibits.promised_in_time

    @property
    def first_leader(self) -> Member:
        """Who makes the block of round 0."""
        return self.members[self._order[0]]

    @property
    def rounds_needed(self) -> int:
        """Rounds from synchrony to the last decision, 0 if it was before."""
        last = max((one.decided.certificate.round for one in self.members if one.is_honest and one.decided), default=0)
        return max(0, last - max(self.rounds_at_synchrony, 0))


def _proposed(message: Message) -> bytes:
    assert isinstance(message, CommitteeNews)
    record = agreement_decoder.decode(message.item.record)
    assert isinstance(record, Proposal)
    return hashlib.sha256(record.block).digest()
