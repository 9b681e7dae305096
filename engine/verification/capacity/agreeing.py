"""What is believed of a claimed speed after many measurements by several members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.verification.capacity.measuring import WHOLE, is_calm, measured_rate
from engine.wire.challenges import SpeedMeasured

KEPT = 32
"""Newest moments of each member that are remembered."""
COUNTED = 5
"""Of these, the newest calm ones that count (more where a member needs more for a word)."""
LEAST_IN_ALL = 9
"""Calm moments, of 2f + 1 members together, before anything is held against a node: one bad one is nobody's fault."""
HARDLY_ANY = 3
"""Calm moments among all that are remembered: who has fewer always says that it is busy."""
LEAST_SHARE = 600
"""Thousandths: who reads at three fifths of what it claims is believed in full. Descriptors are minutes behind, long
prompts take longer than short ones, and ways differ; nobody is cut for that."""
LEAST_BUSY_SHARE = 300
"""The same for who always says that it is busy, and is judged by such moments: most of what honest nodes say there is
not believed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One measurement: the ``claimed`` speed, the ``rate`` that was measured (never above it), both in tokens a second,
    and whether the node was not busy then."""

    epoch: int
    claimed: int
    rate: int
    calm: bool

    @property
    def share(self) -> int:
        """Measured over claimed, thousandths."""
        return self.rate * WHOLE // self.claimed


def moment_of(epoch: int, one: SpeedMeasured) -> Moment:
    """What a measurement tells."""
    return Moment(epoch, one.claimed, min(one.claimed, measured_rate(one)), is_calm(one))


def least_calm(faulty: int) -> int:
    """Calm moments that a member of a committee of which ``faulty`` may lie needs for a word."""
    return -(-LEAST_IN_ALL // (2 * faulty + 1))


def word_of(moments: Sequence[Moment], least: int) -> Moment | None:
    """What one member says: the middle one (by its share; of an even number the better one) of its newest calm moments,
    oldest first. None while they are fewer than ``least``; who has hardly a calm one among all that are remembered is
    judged by the others."""
    newest = moments[-KEPT:]
    calm = [one for one in newest if one.calm]
    if len(calm) >= least:
        return _middle(calm[-max(COUNTED, least) :])
    if len(newest) == KEPT and len(calm) < HARDLY_ANY:
        return _middle([one for one in newest if not one.calm])
    return None


def agreed_rate(by_member: Mapping[bytes, Sequence[Moment]], faulty: int) -> int | None:
    """Tokens a second that a node is found to read where that is less than it claims: the middle one of the members'
    rates (of an even number the better one). None: its claim is believed, as it is unless more than half of the words
    speak against it, or until more members have a word than 2 ``faulty`` (so fewer than half of the words are lies).

    Each word is held against the claim that it names, and the rates are ordered by themselves: a member that lies
    could otherwise name any claim and rate with a share in the middle."""
    least = least_calm(faulty)
    words = [word for moments in by_member.values() if (word := word_of(moments, least)) is not None]
    against = sum(word.share < (LEAST_SHARE if word.calm else LEAST_BUSY_SHARE) for word in words)
    if len(words) <= 2 * faulty or against <= len(words) // 2:
        return None
    return max(1, sorted(word.rate for word in words)[len(words) // 2])


def _middle(moments: Sequence[Moment]) -> Moment:
    ordered = sorted(moments, key=lambda one: (one.share, one.rate))
    return ordered[len(ordered) // 2]
