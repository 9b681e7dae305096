"""One network, epoch by epoch: who is checked, what comes of it, and what blocks make of that.

Left out is what does not change a result: signatures, proofs, questions on their way, and agreement, which others
simulate. Every check is answered; every block is certified in its epoch. An answer to a check that everybody could
foresee is judged in the block of its epoch, one to a check that was drawn by lot in the next one, as it takes its
author's ``Duties`` first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from engine.forwarding.policies.candidates import NEWCOMER_DRAWS, NEWCOMER_SHARE
from engine.ids import NodeId
from engine.simulation.verification.adversaries import TURNS_AFTER, Adversary
from engine.simulation.verification.recorded import JudgedAnswer, Recorded
from engine.verification.chain.broken_off import take_broken
from engine.verification.chain.judged import Judged, Said, said_by, standings_after
from engine.verification.chain.room import entries_that_fit
from engine.verification.chain.state import NEWCOMER_AGAIN_EPOCHS, WINDOW
from engine.verification.challenges.duties import Basis, has_duty, is_drawn_publicly
from engine.verification.challenges.plan import LATER_TURNS, turns_of_new
from engine.verification.members import faulty
from engine.verification.reputation.page import OURS
from engine.verification.reputation.published import PUBLISHED
from engine.verification.reputation.rule import FAIL, PASS, THRESHOLD
from engine.wire.blocks import NodeStanding

Standings = dict[NodeId, NodeStanding]


@dataclass(slots=True)
class Course:
    """What happened to one node. Epochs are counted from 0. ``until_*``: before it was excluded or the simulation
    ended; ``dropped``: answers that no block had room for in time; ``new_*``: while it was checked in every epoch."""

    epochs: int = 0
    new_epochs: int = 0
    checks: int = 0
    new_checks: int = 0
    answers: int = 0
    new_answers: int = 0
    read_tokens: int = 0  # of prompts and answers, by each scorer
    new_read_tokens: int = 0
    until_answers: int = 0
    until_tokens: int = 0
    traffic: float = 0.0  # even shares, added up until it was excluded
    cheated_traffic: float = 0.0  # of that what it cheated in
    until_epochs: int = 0
    dropped: int = 0
    highest_suspicion: int = 0
    highest_lapses: int = 0
    first_cheat: int | None = None
    first_fail: int | None = None
    excluded: int | None = None
    published_excluded: int | None = None


@dataclass(slots=True)
class SimulatedNode:
    """``adversary`` None: honest. ``source``: how its honest answers are made."""

    node_id: NodeId
    source: str
    adversary: Adversary | None = None
    course: Course = field(default_factory=Course)


@dataclass(frozen=True, slots=True)
class _Result:
    """An answer that waits for a block, from ``block`` on."""

    epoch: int
    author: int
    turn: int
    block: int
    lot: float
    node: SimulatedNode
    answer: JudgedAnswer


class SimulatedNetwork:
    """Advance it with :meth:`run_epoch`. ``dice`` make everything that is drawn."""

    def __init__(
        self,
        recorded: Recorded,
        nodes: Sequence[SimulatedNode],
        verifiers: int,
        dice: Random,
        faults: float = 0.0,
        unchecked: float = 0.0,
    ) -> None:
        """``faults``: the share of conversations that break off without anybody's will. ``unchecked``: of epochs, in
        which nobody is checked, as the block before them has no commitments."""
        self._faults = faults
        self._unchecked = unchecked
        self.nodes = nodes
        self.epoch = 0
        self.standings: Standings = {}
        self.published: Standings = {}
        self._recorded = recorded
        self._by_id = {node.node_id: node for node in nodes}
        shared = next(iter(recorded.honest.values()))
        self._places = range(len(shared))
        self._long = [place for place in self._places if len(shared[place]) >= LATER_TURNS] or self._places
        self._dice = dice
        self._members = tuple(dice.randbytes(32) for _ in range(verifiers))
        self._output = dice.randbytes(32)
        self._waiting: list[_Result] = []
        self._said: Said = {}
        self._bases: dict[int, Basis] = {}
        self._broken: dict[int, Counter[NodeId]] = {}
        for node in nodes:
            if node.adversary is not None and node.adversary.turns:
                self._earn(node)

    def join(self, nodes: Sequence[SimulatedNode]) -> None:
        """These are there from now on, too."""
        self.nodes = [*self.nodes, *nodes]
        self._by_id |= {node.node_id: node for node in nodes}

    def _earn(self, node: SimulatedNode) -> None:
        """Good results before it turns; how long they took is not simulated."""
        ours, theirs = OURS.newcomer(node.node_id), PUBLISHED.newcomer(node.node_id)
        while ours.good < TURNS_AFTER and not ours.excluded:
            answers = self._conversation(node.source)
            scores = [answer.score for answer in answers]
            ours, theirs = OURS.judge(ours, [scores]), PUBLISHED.judge(theirs, [scores])
        self.standings[node.node_id], self.published[node.node_id] = ours, theirs

    def _conversation(self, maker: str) -> Sequence[JudgedAnswer]:
        return self._dice.choice(self._recorded.of(maker))

    def run_epoch(self) -> None:
        """Checks, answers, one block."""
        basis = Basis(members=self._members, output=self._output, standings=self.standings, commitments={})
        self._bases[self.epoch], self._broken[self.epoch] = basis, Counter()
        outputs = [hashlib.sha512(self._output + member).digest() for member in self._members]
        shares = traffic_shares([self._standing(node) for node in self.nodes])
        is_checked = not self._unchecked or self._dice.random() >= self._unchecked
        for node, share in zip(self.nodes, shares, strict=True):
            if is_checked:
                self._check(node, basis, outputs)
            if node.course.excluded is None:
                served = share * len(self.nodes)
                node.course.traffic += served
                if node.adversary is not None:
                    node.course.cheated_traffic += served * node.adversary.share_now(self._standing(node))
                node.course.until_epochs += 1
        self._judge()
        self._output = hashlib.sha256(self._output).digest()
        self.epoch += 1

    def _standing(self, node: SimulatedNode) -> NodeStanding:
        return self.standings.get(node.node_id) or OURS.newcomer(node.node_id)

    def _check(self, node: SimulatedNode, basis: Basis, outputs: Sequence[bytes]) -> None:
        """All conversations that verifiers have with it in this epoch."""
        course, standing = node.course, self._standing(node)
        public = is_drawn_publicly(standing)
        course.epochs += 1
        course.new_epochs += public
        for author, (member, output) in enumerate(zip(self._members, outputs, strict=True)):
            if not has_duty(basis, member, node.node_id, output):
                continue
            course.checks += 1
            course.new_checks += public
            block = self.epoch if public else self.epoch + 1
            turns = turns_of_new(self._dice.randbytes) if public else None
            place = self._dice.choice(self._places if turns in (None, 1) else self._long)
            said = self._asked(node, standing, place)[:turns]
            kept = self._kept(node, said)
            self._broken[self.epoch][node.node_id] += kept < len(said)
            for turn, answer in enumerate(said[:kept]):
                course.answers += 1
                course.new_answers += public
                course.read_tokens += answer.tokens
                course.new_read_tokens += answer.tokens if public else 0
                self._waiting.append(_Result(self.epoch, author, turn, block, self._dice.random(), node, answer))

    def _kept(self, node: SimulatedNode, said: Sequence[JudgedAnswer]) -> int:
        """Turns of a conversation before one breaks off."""
        kept = len(said)
        if node.adversary is not None and node.adversary.breaks_off:
            kept = next((turn for turn, answer in enumerate(said) if answer.score.verdict != PASS), kept)
        if self._faults and self._dice.random() < self._faults:
            kept = min(kept, self._dice.randrange(len(said)))
        return kept

    def _asked(self, node: SimulatedNode, standing: NodeStanding, place: int) -> Sequence[JudgedAnswer]:
        """One conversation: the same questions, whoever answers which of them."""
        adversary = node.adversary
        honest = self._recorded.of(node.source)
        if adversary is None or not adversary.cheats(standing, self._dice):
            return honest[place]
        if node.course.first_cheat is None:
            node.course.first_cheat = self.epoch
        cheated = self._recorded.of(adversary.maker)[place]
        if adversary.later_turns:
            cheated = honest[place][:1] + cheated[1:]
        if adversary.credit is None:
            return cheated
        return [_with_credit(answer, adversary.credit) for answer in cheated]

    def _judge(self) -> None:
        """The block of this epoch, with as many answers as it has room for, in their order
        (:mod:`engine.verification.chain.fairness`)."""
        ready = sorted((one for one in self._waiting if one.block <= self.epoch), key=self._place)
        taken = ready[: entries_that_fit(len(self._members))]
        chosen = {id(one) for one in taken}
        late = [one for one in self._waiting if id(one) not in chosen]
        self._waiting = [one for one in late if one.epoch > self.epoch - WINDOW]
        for one in late:
            one.node.course.dropped += one.epoch <= self.epoch - WINDOW
        entries = [
            Judged(one.node.node_id, one.epoch, one.author, one.turn, one.answer.score)
            for one in sorted(taken, key=lambda one: one.lot)
        ]
        oldest = self.epoch - NEWCOMER_AGAIN_EPOCHS
        self.standings = standings_after(self.standings, entries, oldest, OURS, self._said)
        closing = self.epoch - WINDOW
        if (basis := self._bases.pop(closing, None)) is not None:
            take_broken(self.standings, basis, self._broken.pop(closing), faulty(len(self._members)))
        said = {**self._said, **said_by(entries, self._said, OURS)}
        self._said = {key: against for key, against in said.items() if key[0] > self.epoch - WINDOW}
        self.published = standings_after(self.published, entries, oldest, PUBLISHED)
        self._note(taken)

    def _place(self, one: _Result) -> tuple[int, bool, bytes, float]:
        lot = hashlib.sha256(self._output + one.node.node_id).digest()
        return one.epoch, one.block == one.epoch, lot, one.lot

    def _note(self, taken: Sequence[_Result]) -> None:
        for one in taken:
            course, score = one.node.course, one.answer.score
            if course.excluded is None:
                course.until_answers += 1
                course.until_tokens += score.tokens
            if score.verdict == FAIL and course.first_fail is None:
                course.first_fail = one.epoch
        for node_id in {one.node.node_id for one in taken}:
            course, standing = self._by_id[node_id].course, self.standings[node_id]
            course.highest_suspicion = max(course.highest_suspicion, standing.suspicion)
            course.highest_lapses = max(course.highest_lapses, standing.lapses)
            if standing.excluded and course.excluded is None:
                course.excluded = self.epoch
            if self.published[node_id].excluded and course.published_excluded is None:
                course.published_excluded = self.epoch


def traffic_shares(standings: Sequence[NodeStanding]) -> list[float]:
    """Of all questions that clients ask, by node: as ``engine.node.target_choice`` and groups draw. Where nobody is
    left they are zero."""
    established = [one.reputation >= THRESHOLD and not one.excluded for one in standings]
    new = [not one.excluded and not full for one, full in zip(standings, established, strict=True)]
    asked, full, fresh = sum(new) + sum(established), sum(established), sum(new)
    if not full or not fresh:
        return [(one or other) / asked if asked else 0.0 for one, other in zip(new, established, strict=True)]
    for_new = NEWCOMER_SHARE * (1 - (full / asked) ** NEWCOMER_DRAWS)
    return [
        (1 - for_new) / full if one else for_new / fresh if other else 0.0
        for one, other in zip(established, new, strict=True)
    ]


def _with_credit(answer: JudgedAnswer, credit: int) -> JudgedAnswer:
    return JudgedAnswer(msgspec.structs.replace(answer.score, credit=credit), answer.tokens)
