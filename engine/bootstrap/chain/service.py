"""The chain of a network at its own server: which path asks for what."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from engine.bootstrap.chain.answers import UNKNOWN, ChainAnswer
from engine.bootstrap.chain.blocks import Blocks
from engine.bootstrap.chain.changes import Changes
from engine.bootstrap.chain.intake import Intake
from engine.bootstrap.chain.limits import BURST, PAGE_COST, RATE, READ_BURST, READ_PIECE, READ_RATE, Buckets
from engine.bootstrap.chain.samples import Samples
from engine.bootstrap.metrics import Metrics
from engine.clock import Clock
from engine.directory.prefix import counting_key
from engine.errors import DirectoryError, StorageError, VerificationError, WireError

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_FROM = re.compile(r"from-(0|[1-9][0-9]{0,15})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PAGE = re.compile(r"receipts/.*|chain/from-.*")
Taker = Callable[[bytes], Awaitable[ChainAnswer]]


class ServerChain:
    """Implements ``ChainService``. ``one_machine``: every node has the same address, so nobody is limited by it."""

    def __init__(
        self,
        intake: Intake,
        blocks: Blocks,
        samples: Samples,
        metrics: Metrics,
        clock: Clock,
        failed: Callable[[StorageError], None],
        *,
        one_machine: bool,
    ) -> None:
        self._intake = intake
        self._changes = changes = Changes(intake.store, lambda: blocks.state, clock)
        self._blocks = blocks
        self._metrics = metrics
        self._clock = clock
        self._failed = failed
        self._addresses = None if one_machine else Buckets(RATE, BURST)
        self._readers = None if one_machine else Buckets(READ_RATE, READ_BURST)
        self._takers: dict[str, Taker] = {
            "chain": blocks.take,
            "evidence": blocks.take_evidence,
            "receipts": intake.take_batch,
            "contradictions": intake.take_contradiction,
            "openings": intake.ask_opening,
            "changes": changes.take,
            "samples": samples.take,
            "samples/wanted": samples.show,
        }

    async def take(self, path: str, body: bytes, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        taker = self._takers.get(path)
        if taker is None:
            return UNKNOWN
        answer = await self._take(taker, body, address)
        outcome = {200: "accepted", 429: "later", 503: "later"}.get(answer.status, "refused")
        self._metrics.chain_records.labels(path, outcome).inc()
        return answer

    async def _take(self, taker: Taker, body: bytes, address: str) -> ChainAnswer:
        try:
            name = counting_key(address)
        except DirectoryError as error:
            return ChainAnswer.says(503, str(error))
        if self._addresses is not None and not self._addresses.take(name, self._clock.monotonic()):
            return ChainAnswer.says(429, "Too many records come from this address; wait a minute.")
        try:
            return await taker(body)
        except (VerificationError, WireError) as error:
            return ChainAnswer.says(422, str(error))
        except StorageError as error:
            self._failed(error)
            return ChainAnswer.says(503, "The server could not store it; bring it again later.")

    async def read(self, path: str, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        if self._readers is None:
            return await self._read(path)
        try:
            name, now = counting_key(address), self._clock.monotonic()
        except DirectoryError as error:
            return ChainAnswer.says(503, str(error))
        if not self._readers.is_free(name, now):
            return ChainAnswer.says(429, "This address reads too much; ask again in a moment.")
        least = PAGE_COST if _PAGE.fullmatch(path) else 1.0
        self._readers.spend(name, least, now)
        answer = await self._read(path)
        self._readers.spend(name, max(0.0, 1 + len(answer.body) / READ_PIECE - least), self._clock.monotonic())
        return answer

    async def _read(self, path: str) -> ChainAnswer:
        kind, _, name = path.partition("/")
        number = int(name) if _NUMBER.fullmatch(name) else None
        digest = bytes.fromhex(name) if _DIGEST.fullmatch(name) else None
        try:
            match kind:
                case "chain" if not name:
                    return await self._blocks.read_head()
                case "chain" if number is not None:
                    return await self._blocks.read(number)
                case "chain" if _FROM.fullmatch(name):
                    return await self._blocks.read_from(int(name.removeprefix("from-")))
                case "evidence" if digest is not None:
                    return await self._blocks.read_evidence(digest)
                case "committees" if number is not None:
                    return await self._blocks.read_committees(number)
                case "standings" if not name:
                    return await self._blocks.read_standings()
                case "receipts" if number is not None:
                    return await self._intake.read_batches(number)
                case "contradictions" if number is not None or not name:
                    return await self._intake.read_contradictions(number or 0)
                case "changes" if not name:
                    return await self._changes.read()
                case "openings" if name == "missed":
                    return await self._intake.read_missed()
                case "openings" if not name:
                    return await self._intake.read_hidden()
                case "openings" if digest is not None:
                    return await self._intake.read_opening(digest)
                case _:
                    return UNKNOWN
        except StorageError as error:
            self._failed(error)
            return ChainAnswer.says(503, "The server cannot read its database; ask again later.")
