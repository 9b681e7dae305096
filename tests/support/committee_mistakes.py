"""Machines of the committee that are wrong in one way each; the simulation must find them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.simulation.committee.evidence import Rules
from engine.simulation.committee.run import Plan
from engine.simulation.committee.world import Machine
from engine.verification.committee.agreement import Agreement
from engine.verification.committee.committee import Committee

SEED = 7
"""Of 400 schedules in which all of these show: some do in one of 300 only."""
DIFFERENT = "two honest members have decided on different blocks"


class WithoutLock(Agreement):
    """Votes for whatever is valid, also when it is locked on something else."""

    def _is_free(self, block: bytes, valid_round: int) -> bool:
        return True


class OneFewer(Committee):
    """Takes one vote too few for a quorum."""

    @property
    def quorum(self) -> int:
        return super().quorum - 1


class NeedsAllEvidence(Agreement):
    """Votes for no block whose evidence it lacks, also where a quorum has voted for that already."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **(named | {"validate_seen": None}))


@dataclass(frozen=True)
class Mistake:
    """The machine, what must be found of it, and the committees that play with it."""

    machine: Machine
    words: str
    members: int = 4

    def plan(self, schedules: int) -> Plan:
        """So many of the schedules in which all mistakes show."""
        return Plan(members=self.members, schedules=schedules, seed=SEED if self.members == 4 else 1)


MISTAKES = {
    "votes against its lock": Mistake(Machine(agreement=WithoutLock), DIFFERENT),
    "takes one vote fewer for a quorum": Mistake(Machine(committee=OneFewer), DIFFERENT),
    "forgets its votes when it restarts": Mistake(Machine(forgets=True), "contradicts itself"),
    "votes without a look at the evidence": Mistake(Machine(looks=False), "evidence that no honest member has seen"),
    "does not read the evidence": Mistake(Machine(rules=Rules(reads=False)), "something else than its evidence says"),
    "needs evidence that a quorum has seen": Mistake(Machine(agreement=NeedsAllEvidence), "have not decided"),
    "names everybody's results in every round, and passes none on": Mistake(
        Machine(rules=Rules(own_alone=False, passes_on=False)), "have not decided"
    ),
    "does not look at what a block leaves out": Mistake(
        Machine(rules=Rules(counts=False)), "leaves out what it must not"
    ),
    "does not look at the results that a block leaves out": Mistake(
        Machine(rules=Rules(owes=False)), "leaves out results"
    ),
    "wants all commitments in every round, and passes none on": Mistake(
        Machine(rules=Rules(is_bound=False, passes_on=False)), "have not decided", members=7
    ),
}
"""By name. Two liars among seven can each show a commitment to one honest member alone, which is enough against the
last one; one among four cannot."""
