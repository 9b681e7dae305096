"""What the demo's committee finds, block by block, in plain words; each block is checked as ``verify-chain`` does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from engine.api.schema import ChatDone
from engine.demo.control import Control
from engine.demo.story import Say
from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, RequestError
from engine.ids import NodeId, node_id_text
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import ChainReader
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.state import ChainState, first_state
from engine.verification.epochs import epoch_at
from engine.wire.verification import Block, block_decoder, certified_block_decoder

LOOK_SECONDS = 0.25
TRIES = 5
RETRY_SECONDS = 2.0
VERDICTS = ("inconclusive", "passed", "failed")


@dataclass(frozen=True, slots=True)
class Cheater:
    """Which node does not serve what it claims, and what it does."""

    node: NodeId
    says: str


@dataclass(slots=True)
class Found:
    """What came of a dishonest node. ``before`` and ``after``: questions that each node answered."""

    cheater: Cheater
    excluded_at: int | None = None
    honest_excluded: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, object]:
        """The documented keys."""
        return {
            "cheater": node_id_text(self.cheater.node),
            "excluded_at_epoch": self.excluded_at,
            "honest_excluded": self.honest_excluded,
            "asked_before": dict(self.before),
            "asked_after": dict(self.after),
        }


class Following:
    """Follows the chain of a network from its genesis on. ``names``: the nodes that are told of, with their names."""

    def __init__(self, genesis: GenesisRecord, url: str, names: Mapping[NodeId, str], say: Say) -> None:
        self.state: ChainState = first_state(genesis)
        self._url = url
        self._names = names
        self._say = say

    async def until_excluded(self, node: NodeId, wall: Callable[[], float], epochs: int) -> int | None:
        """The epoch of the block that excluded ``node``; None where that did not happen within so many epochs."""
        last = epoch_at(self.state.genesis, wall()) + epochs
        async with http_session() as session:
            while not self.state.standing_of(node).excluded:
                if epoch_at(self.state.genesis, wall()) > last:
                    return None
                if not await self._read(session, node):
                    await asyncio.sleep(LOOK_SECONDS)
        return self.state.epoch

    def excluded(self) -> frozenset[NodeId]:
        """Who gets no questions now."""
        return frozenset(node for node, standing in self.state.standings.items() if standing.excluded)

    async def _read(self, session: aiohttp.ClientSession, node: NodeId) -> bool:
        """The blocks that are new, until one excludes ``node``; whether there were any."""
        try:
            records = await ChainReader(session, self._url).blocks(self.state.height + 1)
        except BootstrapUnreachableError:
            return False
        for record in records:
            certified = certified_block_decoder.decode(record)
            self.state = check_certified(self.state, certified)
            self._tell(block_decoder.decode(certified.block))
            if self.state.standing_of(node).excluded:
                break
        return bool(records)

    def _tell(self, block: Block) -> None:
        self._say(f"  epoch {block.epoch}, block {block.height}: {_times(len(block.entries), 'check')}")
        for node, name in self._names.items():
            standing = self.state.standing_of(node)
            verdicts = Counter(VERDICTS[entry.score.verdict] for entry in block.entries if entry.node == node)
            told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "not checked"
            word = "EXCLUDED" if standing.excluded else f"reputation {standing.reputation / 1e6:.2f}"
            self._say(f"    {name:<24} {word:<16} suspicion {standing.suspicion / 1000:5.2f}   {told}")


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


async def who_answers(control: Control, model: str, questions: int) -> Counter[str]:
    """How many of so many questions the client sends to each node. A busy machine may lose paths for a moment: a
    question that fails is asked again, up to ``TRIES`` times."""
    found: Counter[str] = Counter()
    for number in range(questions):
        done = await _patiently(control, model, f"What is a relay? ({number + 1})")
        found[done.served_by] += 1
    return found


async def _patiently(control: Control, model: str, question: str) -> ChatDone:
    for _ in range(TRIES - 1):
        try:
            return await control.ask(model, question)
        except RequestError:
            await asyncio.sleep(RETRY_SECONDS)
    return await control.ask(model, question)


def tell_shares(shares: Counter[str], names: Mapping[NodeId, str], when: str, say: Say) -> None:
    """How the questions were shared out."""
    told = ", ".join(f"{name} {shares[node_id_text(node)]}" for node, name in names.items())
    say(f"{_times(shares.total(), 'question')} {when}: {told}")
