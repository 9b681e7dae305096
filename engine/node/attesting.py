"""A verifier scores what others and it show, one answer after the other, and signs what it has found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engine.errors import GenTorrentError, VerificationError
from engine.node.handing_out import HandingOut
from engine.verification.chain.records import RecordBook
from engine.verification.chain.state import ChainState
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.signing import Judging
from engine.wire.challenges import Attestation, Score

logger = logging.getLogger(__name__)


class Attesting:
    """Of the member with this key. ``score`` computes what an answer is worth (a ``GenTorrentError`` if it cannot);
    ``state`` gives what the chain has led to, ``late`` the newest epoch whose answers should have been scored;
    ``holds``: whether a model is here."""

    def __init__(
        self,
        member: bytes,
        book: RecordBook,
        handing_out: HandingOut,
        score: Callable[[OpenedEvidence], Awaitable[Score]],
        publish: Callable[[Judging], bool],
        *,
        state: Callable[[], ChainState],
        late: Callable[[], int],
        holds: Callable[[bytes], bool],
    ) -> None:
        self._member = member
        self._book = book
        self._handing_out = handing_out
        self._score = score
        self._publish = publish
        self._state = state
        self._late = late
        self._holds = holds
        self._news = asyncio.Event()
        self._unscorable: set[tuple[bytes, bool]] = set()  # and whether others had scored it

    def look_again(self) -> None:
        """There may be something to score."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; the oldest evidence first, none is looked at twice."""
        while True:
            await self._news.wait()
            self._news.clear()
            while True:
                waiting = self._book.unscored(self._member, self._state(), self._late())
                opened = next((one for one in waiting if self._can_attest(one)), None)
                if opened is None:
                    known = {one.digest for one in waiting}
                    self._unscorable = {one for one in self._unscorable if one[0] in known}
                    break
                await self._attest(opened)

    def _can_attest(self, opened: OpenedEvidence) -> bool:
        by_others = self._by_others(opened)
        tried = (opened.digest, by_others) in self._unscorable
        return not tried and (not by_others or self._book.scoring_of(opened.digest) is not None)

    def _by_others(self, opened: OpenedEvidence) -> bool:
        """Whether what drawn nodes have found counts here: the model cannot be loaded, or could not score this."""
        return not self._holds(opened.request.model_digest) or (opened.digest, False) in self._unscorable

    async def _attest(self, opened: OpenedEvidence) -> None:
        by_others = self._by_others(opened)
        self._unscorable.add((opened.digest, by_others))  # whatever becomes of it, it is not computed again
        try:
            score = self._scored_by_others(opened) if by_others else await self._score(opened)
        except GenTorrentError as error:
            logger.warning("an answer cannot be scored here: %s", error)
            return
        self._publish(
            Attestation(
                network_id=self._state().network_id,
                epoch=opened.evidence.epoch,
                member=self._member,
                evidence=opened.digest,
                node=opened.node,
                model=opened.request.model_digest,
                score=score,
            )
        )

    def _scored_by_others(self, opened: OpenedEvidence) -> Score:
        scoring = self._book.scoring_of(opened.digest)
        if scoring is None or not self._handing_out.is_believed(opened, scoring, self._state()):
            raise VerificationError("The nodes that have scored an answer are not those that may.")
        return scoring.score
