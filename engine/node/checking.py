"""A verifier's conversations with the nodes that its duties name, and what it shows of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.clock import Clock
from engine.errors import GenTorrentError
from engine.ids import NodeId, short_id
from engine.node.challenge_chat import NothingSignedError, Signed
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.plan import Planned
from engine.verification.epochs import epoch_begins
from engine.verification.receipts import request_without_secrets
from engine.verification.signing import Judging
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

    def hold(self, planned: Planned) -> AsyncGenerator[Signed, None]:
        """What the node signs, turn after turn; ``NothingSignedError`` where it signs nothing."""
        ...


@dataclass(slots=True)
class _Talk:
    """What has come of a conversation so far. Evidence shows the challenge with its later turns, and a member could
    tell the node what it will be asked; so none is shown before the conversation is over."""

    found: list[Evidence] = field(default_factory=list)
    reason: str = "timeout"


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
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def check(self, epoch: int, planned: Planned, committed: CommittedChallenges) -> None:
        """One conversation, begun at its time, and what came of it."""
        await self.sleep(max(0.0, planned.begin - self._into(epoch)))
        shown, talk = self._shown_with(epoch, planned, committed), _Talk()
        results = 0
        try:
            async with self._places:
                seconds = LAST_ANSWER * self._seconds - self._into(epoch)
                if seconds > 0:
                    async with asyncio.TaskGroup() as tasks:
                        talking = tasks.create_task(self._talk(planned, shown, talk))
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

    async def _talk(self, planned: Planned, shown: dict[str, Any], talk: _Talk) -> None:
        """The conversation; one that did not begin for want of paths is tried again."""
        for tries in range(TRIES):
            await self._try(planned, shown, talk)
            if talk.found or talk.reason not in NO_PATHS:
                return
            await self.sleep(RETRY_AT * 2**tries * self._seconds)

    async def _try(self, planned: Planned, shown: dict[str, Any], talk: _Talk) -> None:
        try:
            async with aclosing(self._chats.hold(planned)) as answers:
                async for signed in answers:
                    talk.found.append(Evidence(**shown, **_opened(signed)))
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
