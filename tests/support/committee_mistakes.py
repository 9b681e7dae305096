"""Machines of the committee that are wrong in one way each; the simulation must find them out."""

from __future__ import annotations

from typing import Any

from engine.simulation.committee.world import Machine
from engine.verification.committee.agreement import Agreement
from engine.verification.committee.committee import Committee

SEED = 5
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


MISTAKES: dict[str, tuple[Machine, str]] = {
    "votes against its lock": (Machine(agreement=WithoutLock), DIFFERENT),
    "takes one vote fewer for a quorum": (Machine(committee=OneFewer), DIFFERENT),
    "forgets its votes when it restarts": (Machine(forgets=True), "contradicts itself"),
    "votes without a look at the evidence": (Machine(looks=False), "evidence that no honest member has seen"),
    "does not read the evidence": (Machine(reads=False), "something else than its evidence says"),
    "needs evidence that a quorum has seen": (Machine(agreement=NeedsAllEvidence), "have not decided"),
    "names everybody's results in every round": (Machine(own_alone=False), "have not decided"),
}
"""Name -> the machine, and what must be found."""
