"""What an :class:`~engine.verification.committee.agreement.Agreement` wants done, and what it has to be told again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.wire.blocks import CertifiedBlock, CommitteeBlock, CommitteeHave, CommitteeNews, CommitteePrevotes
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A block that was locked, or found valid by a quorum of prevotes (``signatures``), in ``round``."""

    round: int
    block: bytes
    signatures: tuple[tuple[int, bytes], ...] = ()


class Memory(msgspec.Struct, frozen=True, array_like=True):
    """What a member must know of a height after a restart: its own signed records of ``round``, the last in which it
    has spoken, so that it never contradicts itself; those of the round before, without which others might be unable to
    follow; and what it holds."""

    height: int
    round: int
    records: tuple[SignedRecord, ...]
    locked: Held | None
    valid: Held | None


@dataclass(frozen=True, slots=True)
class Remember:
    """Write this to disk, in place of what was written before, *before* any of the effects behind it is carried out;
    where that fails, carry none of them out, and call ``Agreement.abstain``."""

    memory: Memory


@dataclass(frozen=True, slots=True)
class Send:
    """To the member with this index; None: to all others."""

    to: int | None
    message: CommitteeNews | CommitteePrevotes | CommitteeHave | CommitteeBlock


@dataclass(frozen=True, slots=True)
class Decided:
    """The height is over."""

    certified: CertifiedBlock


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A member has signed what nobody may sign both."""

    member: int
    contradiction: Contradiction


@dataclass(frozen=True, slots=True)
class Refused:
    """A block is not voted for, with the reason."""

    digest: bytes
    reason: str


Effect = Remember | Send | Decided | Contradicted | Refused
