"""Since when it is here what members have said, and whether they have said it in one way alone."""

from __future__ import annotations

import math

from engine.ids import NodeId

Subject = tuple[int, bytes, NodeId, int] | tuple[int, bytes, bytes] | tuple[int, bytes]
"""What a member says one thing of, its epoch first: a turn of a duty (member, node asked, turn), the score of evidence
(its digest, member), the duties of a member."""
WAYS = 2
"""So many are kept of one subject: enough to know that its member says one thing to some and another to others. Neither
counts then, as nobody knows which of them the others have."""


class Told:
    """Members pass on what they hear (decision 0120), so what one honest member has had for a while all have."""

    def __init__(self) -> None:
        self._said: dict[Subject, dict[bytes, float]] = {}  # digest -> since when, in seconds that never go back

    def wants(self, subject: Subject, digest: bytes) -> bool:
        """Whether this is news."""
        said = self._said.get(subject, {})
        return digest not in said and len(said) < WAYS

    def take(self, subject: Subject, digest: bytes, now: float) -> None:
        """It has been said so."""
        self._said.setdefault(subject, {})[digest] = now

    def since(self, subject: Subject) -> float:
        """When it came, if it was said in one way alone; infinity if it was not."""
        said = self._said.get(subject, {})
        return next(iter(said.values())) if len(said) == 1 else math.inf

    def is_alone(self, subject: Subject) -> bool:
        """Whether it was said in one way."""
        return len(self._said.get(subject, {})) == 1

    def count_from(self, now: float, epoch: int, member: bytes) -> None:
        """What this member has found in an epoch could not be told before: the others have it from now on."""
        for subject, said in self._said.items():
            if len(subject) == 4 and subject[:2] == (epoch, member):
                said.update((digest, max(at, now)) for digest, at in said.items())

    def forget(self, before: int) -> None:
        """What is of epochs before this one."""
        self._said = {subject: said for subject, said in self._said.items() if subject[0] >= before}
