"""A verifier's conversations with the nodes that its duties name, and what it shows of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.clock import Clock
from engine.errors import GenTorrentError
from engine.ids import NodeId, short_id
from engine.node.challenge_chat import Asking, NothingSignedError, Signed
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.plan import Planned
from engine.verification.epochs import epoch_begins
from engine.verification.receipts import request_without_secrets
from engine.verification.signing import Judging
from engine.wire.answer import receipt_decoder
from engine.wire.challenges import BROKEN_OFF, MAX_OUTPUT, Evidence, Unanswered
from engine.wire.records import Genesis

logger = logging.getLogger(__name__)
LAST_ANSWER = 2.0
"""Epochs after an epoch's begin at which its conversations end: blocks must still take what came of them."""
TRIES = 4
RETRY_AT = 0.025
"""Of an epoch: after the first failure; twice as long after each further one."""
NO_PATHS = frozenset({"network_not_ready", "too_few_relays"})
"""Reasons for which nothing was sent. What was sent and brought nothing is not sent again: it would burden those more
that have too much to do, and a node takes the request of a turn once."""
MAX_CHATS = 16
"""Conversations at the same time."""


class Conversations(Protocol):
    """Who asks: :class:`engine.node.challenge_chat.ChallengeChats`."""

    def hold(
        self, planned: Planned, said: Sequence[str] = (), asking: Asking = lambda _: None
    ) -> AsyncGenerator[Signed, None]:
        """What the node signs, turn after turn; ``NothingSignedError`` where it signs nothing. See
        :meth:`engine.node.challenge_chat.ChallengeChats.hold`."""
        ...


class Turns(Protocol):
    """Where conversations that are under way are kept: :class:`engine.node.verifier_store.VerifierStore`."""

    def keep_turn(self, epoch: int, index: int, turn: int, found: Found | None) -> None:
        """A turn of a challenge is asked (None), or has brought this."""
        ...

    def forget_turn(self, epoch: int, index: int, turn: int) -> None:
        """It was not asked after all."""
        ...

    def turns_of(self, epoch: int, index: int) -> list[Found | None]:
        """Those that were asked, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a turn has brought, and the answer as the next question follows it."""

    evidence: Evidence
    said: str


@dataclass(slots=True)
class _Talk:
    """What has come of a conversation so far. Evidence shows the challenge with its later turns, and a member could
    tell the node what it will be asked; so none is shown before the conversation is over."""

    found: list[Evidence] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    reason: str = "timeout"
    asked: int = -1  # the newest turn


class Checking:
    """Of the member with this key; ``publish`` signs and tells, and says whether a record has a use."""

    def __init__(
        self,
        member: bytes,
        network_id: bytes,
        genesis: Genesis,
        chats: Conversations,
        clock: Clock,
        publish: Callable[[Judging], bool],
    ) -> None:
        self._member = member
        self._network_id = network_id
        self._genesis = genesis
        self._chats = chats
        self._clock = clock
        self._publish = publish
        self._places = asyncio.Semaphore(MAX_CHATS)
        self.turns: Turns | None = None
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def check(self, epoch: int, planned: Planned, committed: CommittedChallenges) -> None:
        """One conversation, begun at its time, and what came of it."""
        await self.sleep(max(0.0, planned.begin - self._into(epoch)))
        shown, talk = self._shown_with(epoch, planned, committed), self._begun(epoch, planned)
        results = 0
        try:
            async with self._places:
                seconds = LAST_ANSWER * self._seconds - self._into(epoch)
                if seconds > 0:
                    async with asyncio.TaskGroup() as tasks:
                        talking = tasks.create_task(self._talk(epoch, planned, shown, talk))
                        ending = tasks.create_task(self._end(talking, seconds))
                        talking.add_done_callback(lambda _: ending.cancel())
        finally:
            for evidence in talk.found:
                results += self._publish(evidence)
        if not results or talk.reason in BROKEN_OFF:
            self._publish(Unanswered(**shown, reason=talk.reason[:100]))

    @property
    def _seconds(self) -> float:
        return self._genesis.parameters.epoch_seconds

    def _into(self, epoch: int) -> float:
        """Seconds since an epoch began."""
        return self._clock.wall() - epoch_begins(self._genesis, epoch)

    async def _end(self, talking: asyncio.Task[None], seconds: float) -> None:
        await self.sleep(seconds)
        talking.cancel()

    def _begun(self, epoch: int, planned: Planned) -> _Talk:
        """What an earlier run of this machine has had of the conversation. A turn that its end has cut off cannot be
        asked again, as a node takes each request once; a user can go on behind an answer that never came."""
        talk = _Talk()
        for found in self.turns.turns_of(epoch, planned.index) if self.turns is not None else ():
            if found is not None:
                talk.found.append(found.evidence)
            else:
                talk.reason = "restarted"
            talk.said.append(found.said if found is not None else "")
        return talk

    async def _talk(self, epoch: int, planned: Planned, shown: dict[str, Any], talk: _Talk) -> None:
        """The conversation, or the rest of it; one that did not begin for want of paths is tried again."""
        if len(talk.said) == len(planned.challenge.turns) or any(map(_was_passed_on, talk.found)):
            return
        before = len(talk.found)
        for tries in range(TRIES):
            await self._try(epoch, planned, shown, talk)
            if len(talk.found) > before or talk.reason not in NO_PATHS:
                return
            if self.turns is not None and talk.asked >= 0:
                self.turns.forget_turn(epoch, planned.index, talk.asked)
            await self.sleep(RETRY_AT * 2**tries * self._seconds)

    async def _try(self, epoch: int, planned: Planned, shown: dict[str, Any], talk: _Talk) -> None:
        def asking(turn: int) -> None:
            talk.asked = turn
            if self.turns is not None:
                self.turns.keep_turn(epoch, planned.index, turn, None)

        try:
            async with aclosing(self._chats.hold(planned, tuple(talk.said), asking)) as answers:
                async for signed in answers:
                    evidence = Evidence(**shown, **_opened(signed))
                    talk.found.append(evidence)
                    if self.turns is not None:
                        self.turns.keep_turn(epoch, planned.index, signed.turn, Found(evidence, signed.said))
        except NothingSignedError as error:
            talk.reason = error.code
        except GenTorrentError as error:
            logger.warning("a challenge of %s failed: %s", short_id(NodeId(planned.challenge.node)), error)
            talk.reason = "failed"

    def _shown_with(self, epoch: int, planned: Planned, committed: CommittedChallenges) -> dict[str, Any]:
        """What evidence and unanswered challenges have in common."""
        return {
            "network_id": self._network_id,
            "epoch": epoch,
            "member": self._member,
            "challenge": committed.challenges[planned.index],
            "index": planned.index,
            "path": committed.path(planned.index),
        }


def _was_passed_on(evidence: Evidence) -> bool:
    """Then nothing follows it."""
    receipt = receipt_decoder.decode(evidence.receipt)
    return receipt.node_id != receipt.entry


def _opened(signed: Signed) -> dict[str, Any]:
    """What a node signed, for evidence."""
    part = signed.part
    if part.request is None or part.output_ids is None or len(part.output_ids) > MAX_OUTPUT:
        raise NothingSignedError("too_long")
    return {
        "turn": signed.turn,
        "receipt": part.record,
        "receipt_signature": part.signature,
        "key": part.key,
        "request": request_without_secrets(part.request),
        "output_ids": tuple(part.output_ids),
    }
