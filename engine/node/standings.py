"""The committee's standings, as one presence of this engine knows them: fetched when the directory names a newer block,
checked against the genesis, kept on disk so that nobody can show older ones after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from engine.api.schema import MachineStanding
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.standing import StandingBook
from engine.errors import BootstrapUnreachableError, GenTorrentError, StorageError, VerificationError, WireError
from engine.ids import NodeId, node_id_text
from engine.inference.types import ModelInfo
from engine.sentences import listed, say
from engine.storage.files import read_limited, write_atomically
from engine.transport.chain_http import followed_standings
from engine.verification.chain.standings import (
    CheckedStandings,
    check_standings,
    encoded_committee,
    read_committee,
)
from engine.wire.blocks import MAX_SIGNED_STANDINGS, signed_standings_decoder
from engine.wire.signed import MAX_RECORD

logger = logging.getLogger(__name__)
FIRST_RETRY, LAST_RETRY = 1.0, 120.0
SPREAD = 0.02
"""Of an epoch, in which all readers fetch a new block's standings: not all in the same moment."""
MOST_SPREAD_SECONDS = 10.0


def machine_standing(book: StandingBook, node: NodeId, begun: float, epoch_seconds: float) -> MachineStanding:
    """What a book says of a node, for people; epochs are counted from ``begun`` (seconds since 1970)."""
    standing, found = book.of(node), book.nodes.get(node)
    word: Literal["established", "newcomer", "excluded"] = "established" if standing.established else "newcomer"
    return MachineStanding(
        node=node_id_text(node),
        standing="excluded" if standing.excluded else word,
        reputation=standing.reputation,
        judged=found.judged if found is not None else 0,
        passed=found is not None and found.good > 0,
        checked=begun + found.signed * epoch_seconds if found is not None else 0.0,
        slower=found is not None and bool(found.slower),
        contradicted=node in book.contradicted or (found is not None and found.contradicted),
    )


def slower_words(book: StandingBook, node: NodeId, models: Sequence[ModelInfo]) -> str:
    """What the owner of a machine should know of how fast others take it to be; empty while its word counts."""
    found = [(one.model_id, rate) for one in models if (rate := book.reads(node, one.digest)) is not None]
    if not found:
        return ""
    told = [say("standing.speed", rate=round(rate), model=model_id) for model_id, rate in found]
    return say("standing.slower", speeds=listed("list.and", told))


class StandingsFollower:
    """Own it with :meth:`run`. ``read`` gets a path of the server that is used now; ``changed`` hears of each new
    :attr:`book`."""

    def __init__(
        self,
        genesis: GenesisRecord,
        read: Callable[[str, int], Awaitable[bytes]],
        path: Path,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._genesis = genesis
        self._read = read
        self._path = path
        self._followed = path.with_name(f"{path.name}.committee")  # the committee that certifies what is in the file
        self._random = random.Random(random_bytes(16))
        self._known: CheckedStandings | None = None
        self._wanted = 0
        self._news = asyncio.Event()
        self.book = StandingBook(bool(genesis.genesis.committee_keys))
        self.problem = ""
        """Why the newest standings are not here, for people; empty when they are."""
        self.changed: Callable[[StandingBook], None] = lambda _: None

    @property
    def checked(self) -> CheckedStandings | None:
        """The newest that are believed."""
        return self._known

    def look(self, directory: Directory) -> None:
        """A snapshot that is believed; it names the newest block."""
        if directory.chain_height > self._wanted:
            self._wanted = directory.chain_height
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        if not self.book.committee:
            return
        await self._load()
        while True:
            await self._news.wait()
            self._news.clear()
            spread = min(MOST_SPREAD_SECONDS, SPREAD * self._genesis.parameters.epoch_seconds)
            await asyncio.sleep(self._random.random() * spread)
            retry = FIRST_RETRY
            while self.book.height < self._wanted:
                await self._fetch()
                if self.book.height < self._wanted:  # also where a mirror is behind
                    await asyncio.sleep(retry * (0.5 + self._random.random()))
                    retry = min(LAST_RETRY, 2 * retry)

    async def _fetch(self) -> None:
        try:
            before = self._known.committee if self._known is not None else None
            data, checked = await followed_standings(self._read, self._genesis, self._known)
            self._take(checked)
            self.problem = ""
            await asyncio.to_thread(write_atomically, self._path, data)
            if checked.committee != before and checked.since:
                await asyncio.to_thread(write_atomically, self._followed, encoded_committee(checked.committee))
        except StorageError as error:
            logger.warning("the standings could not be kept: %s", error)
        except (BootstrapUnreachableError, WireError, VerificationError) as error:
            self.problem = f"The committee's newest standings are not here, so older ones are used: {error}"
            logger.warning("%s", self.problem)

    async def _load(self) -> None:
        """What was believed before the last end."""
        with contextlib.suppress(StorageError):
            data = await asyncio.to_thread(read_limited, self._path, MAX_SIGNED_STANDINGS)
            followed = await asyncio.to_thread(read_limited, self._followed, MAX_RECORD)
            if data is not None:
                try:
                    self._take(await asyncio.to_thread(self._check, data, followed))
                except GenTorrentError as error:
                    logger.warning("the standings on the disk are fetched anew: %s", error)

    def _take(self, checked: CheckedStandings) -> None:
        if self._known is not None and checked.height == self._known.height:
            return
        self._known = checked
        self.book = StandingBook(True, checked.nodes, checked.height)
        self.changed(self.book)

    def _check(self, data: bytes, followed: bytes | None) -> CheckedStandings:
        committee = read_committee(followed) if followed is not None else None
        return check_standings(signed_standings_decoder.decode(data), self._genesis, committee=committee)
