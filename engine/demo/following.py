"""What the demo's committee finds, block by block, in plain words; each block is checked as ``verify-chain`` does."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from engine.api.schema import ChatDone
from engine.demo.control import Control
from engine.demo.story import Say
from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, RequestError, WireError
from engine.ids import NodeId, node_id_text
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import ChainReader
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.state import ChainState, first_state
from engine.verification.epochs import epoch_at
from engine.wire.blocks import Block, block_decoder, certified_block_decoder, committee_record_decoder
from engine.wire.challenges import Unanswered
from engine.wire.signed import signed_record_decoder

LOOK_SECONDS = 0.25
TRIES = 5
RETRY_SECONDS = 2.0
VERDICTS = ("inconclusive", "passed", "failed")
REASONS = {
    "timeout": "not answered in time",
    "network_not_ready": "not asked (no paths)",
    "too_few_relays": "not asked (no paths)",
    "serving_node_lost": "not answered (paths or node lost)",
    "overloaded": "not answered (node busy)",
    "model_not_found": "not asked (node not listed)",
}
"""Why a check brought nothing, by the codes of ``engine.errors``."""


@dataclass(frozen=True, slots=True)
class Cheater:
    """Which node does not serve what it claims, and what it does."""

    node: NodeId
    says: str


@dataclass(slots=True)
class Found:
    """What came of a dishonest node. ``epoch_seconds``: of this network; ``first_checked``: the first epoch of which
    one of its answers was judged; ``before`` and ``after``: questions that each node answered."""

    cheater: Cheater
    epoch_seconds: float
    excluded_at: int | None = None
    first_checked: int | None = None
    honest_excluded: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, object]:
        """The documented keys."""
        return {
            "cheater": node_id_text(self.cheater.node),
            "excluded_at_epoch": self.excluded_at,
            "first_checked_epoch": self.first_checked,
            "epoch_seconds": self.epoch_seconds,
            "honest_excluded": self.honest_excluded,
            "asked_before": dict(self.before),
            "asked_after": dict(self.after),
        }


class Following:
    """Follows the chain of a network from its genesis on. ``names``: the nodes that are told of, with their names."""

    def __init__(self, genesis: GenesisRecord, url: str, names: Mapping[NodeId, str], say: Say) -> None:
        self.state: ChainState = first_state(genesis)
        self.first_checked: dict[NodeId, int] = {}
        self._url = url
        self._names = names
        self._say = say

    async def until_excluded(
        self, node: NodeId, wall: Callable[[], float], epochs: int, check: Callable[[], None]
    ) -> int | None:
        """The epoch of the block that excluded ``node``; None where that did not happen within so many epochs.
        ``check`` raises when waiting is in vain."""
        last = epoch_at(self.state.genesis, wall()) + epochs
        async with http_session() as session:
            while not self.state.standing_of(node).excluded:
                check()
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
            block = block_decoder.decode(certified.block)
            for entry in block.entries:
                known = self.first_checked.setdefault(NodeId(entry.node), entry.epoch)
                self.first_checked[NodeId(entry.node)] = min(known, entry.epoch)
            self._tell(block, await self._unanswered(session, block))
            if self.state.standing_of(node).excluded:
                break
        return bool(records)

    async def _unanswered(self, session: aiohttp.ClientSession, block: Block) -> dict[NodeId, Counter[str]]:
        """The checks of each node that brought nothing, by the reason, as far as the server knows it."""
        reader, found = ChainReader(session, self._url), dict[NodeId, Counter[str]]()
        for one in block.unjudged:
            reason = "judged too late"  # it is an answer, then, whose scores did not come together
            with contextlib.suppress(BootstrapUnreachableError, WireError):
                signed = await reader.evidence(one.record)
                record = (
                    committee_record_decoder.decode(signed_record_decoder.decode(signed).record) if signed else None
                )
                if isinstance(record, Unanswered):
                    reason = REASONS.get(record.reason, "not answered")
            found.setdefault(NodeId(one.asked), Counter())[reason] += 1
        return found

    def _tell(self, block: Block, unanswered: Mapping[NodeId, Counter[str]]) -> None:
        if not block.entries and not unanswered:
            self._say(f"  epoch {block.epoch}: nothing to judge; the verifiers bind themselves to what they ask next")
            return
        self._say(f"  epoch {block.epoch}: {_times(len(block.entries), 'answer')} judged")
        for node, name in self._names.items():
            standing = self.state.standing_of(node)
            verdicts = Counter(VERDICTS[entry.score.verdict] for entry in block.entries if entry.node == node)
            results = sorted(verdicts.items()) + sorted(unanswered.get(node, Counter()).items())
            told = ", ".join(f"{count} {result}" for result, count in results) or "not checked"
            word = "EXCLUDED" if standing.excluded else f"reputation {standing.reputation / 1e6:.2f}"
            self._say(f"    {name:<28} {word:<16} suspicion {standing.suspicion / 1000:5.2f}   {told}")


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
