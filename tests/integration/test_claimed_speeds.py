"""Claimed speeds are tested: asked at one moment over the overlay, reported, agreed on in blocks, believed by groups.

The network is that of test_verifiers; its model nodes have machines that take their time to read a prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.crypto.identity import Identity
from engine.directory.standing import StandingBook
from engine.forwarding.prediction import prefill_rate
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, ModelInfo, PromptShape, Started
from engine.node.answer_scorer import AnswerScorer
from engine.node.asking_speed import SpeedChats
from engine.node.timed_answers import TimedAnswers
from engine.node.verifier_role import VerifierRole
from engine.verification.capacity.draw import Rates
from engine.verification.challenges.pool import read_pool
from engine.verification.scoring.calibration import Calibrations
from engine.wire.blocks import committee_record_decoder
from engine.wire.challenges import SpeedReport
from tests.integration.test_verifiers import DIRECT, OTHER, SAID, Reference, Verified
from tests.support.answering_overlay import INFO, AnsweringMember, AnsweringOverlay, Writer
from tests.support.calibrations import calibration
from tests.support.overlay import NETWORK
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

SLICE = 64
"""Prompt tokens that a machine reads before it looks at another prompt."""
SPEED = 400.0
LONG = 500
"""Tokens of a prompt that looks like a timed one."""


@dataclass
class Machine:
    """Reads prompts, by turns. ``own``: its engine sees what else it does, as one with several engines does not."""

    overlay: AnsweringOverlay
    rate: float = SPEED
    own: bool = True
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    longest: int = 0

    async def read(self, tokens: int) -> float:
        """Seconds in which something else was done."""
        begun = self.overlay.scheduler.now()
        self.longest = max(self.longest, tokens)
        for start in range(0, tokens, SLICE):
            async with self.turn:
                await self.overlay.sleep(min(SLICE, tokens - start) / self.rate)
        return max(0.0, self.overlay.scheduler.now() - begun - tokens / self.rate) if self.own else 0.0


class Reading(Writer):
    """Reads before it writes, as fast as its machine; ``claimed`` is what it says of that."""

    machine: Machine
    claimed = SPEED
    skips = False

    def models(self) -> list[ModelInfo]:
        return [msgspec.structs.replace(INFO, prefill_rate=self.claimed)]

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        return PromptShape(tokens_of(request), 0, ())

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        self.asked.append(request)
        tokens = tokens_of(request)
        yield Started((1, 2, 3))
        skipped = self.skips and tokens > LONG
        waited = 0.0 if skipped else await self.machine.read(tokens)
        written = (OTHER if skipped else self.written)[: request.max_tokens or len(self.written)]
        for one in written:
            await self._overlay.sleep(self.pace)
            yield Delta((one,), chr(one))
        yield Done("stop", tokens, len(written), 0, waited)


def tokens_of(request: GenerationRequest) -> int:
    return max(1, sum(len(message.content) for message in request.messages) // 4 + len(request.prompt or "") // 4)


class Overlay(AnsweringOverlay):
    writer_class = Reading


class Counting(Reference):
    """The worker of a verifier that has the model."""

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        return PromptShape(tokens_of(request), 0, ())


class Nothing(Counting):
    """The worker of a verifier that has it not."""

    def models(self) -> list[ModelInfo]:
        return []


class Timed(Verified):
    """Members time claims, each new one several times in an epoch."""

    epoch_seconds = 16.0

    def _role(self, member: Identity) -> VerifierRole:
        role = super()._role(member)
        overlay = self.overlay
        backend: Any = Counting() if self.network.members.index(member) else Nothing()
        pool = read_pool([QUESTIONS], WORDS, MANNERS)
        known = msgspec.structs.replace(calibration(), digest=INFO.digest.hex())
        clock, random_bytes = overlay.scheduler.clock, overlay.random_bytes
        judge = TimedAnswers(AnswerScorer(backend, Calibrations([known])), NETWORK, clock).worth
        chats = SpeedChats(lambda: overlay.client, backend, pool, judge, lambda _: 0, clock, random_bytes)
        chats.sleep = role.capacity.sleep = overlay.sleep
        role.capacity.timing, role.capacity.rates = chats, Rates(unknown=4.0, known=32.0)
        return role

    @property
    def reports(self) -> list[SpeedReport]:
        records = [committee_record_decoder.decode(one.record) for block in self.blocks for one in block.speeds]
        assert all(isinstance(one, SpeedReport) for one in records)
        return records  # type: ignore[return-value]


async def timed(claims: Sequence[float], machines: Sequence[int] = (), **options: Any) -> Timed:
    """Nodes with these claims; ``machines``: the number of each one's machine (all have their own)."""
    overlay = Overlay(models=len(claims), pace=0.005, **({"parameters": DIRECT} | options))
    own = [Machine(overlay) for _ in claims]
    for number, (node, claimed) in enumerate(zip(overlay.machines, claims, strict=True)):
        writer = node.writer
        assert isinstance(writer, Reading)
        shared = machines[number] if machines else number
        writer.machine, writer.claimed, writer.written = own[shared], claimed, SAID
        own[shared].own = list(machines or range(len(claims))).count(shared) == 1
    overlay.announce()
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    return Timed(overlay)


def slower(network: Timed) -> list[float | None]:
    book = StandingBook(True, network.state.standings, network.state.height)
    return [book.reads(node.node_id, INFO.digest) for node in network.overlay.machines]


def rates(seer: AnsweringMember, *seen: AnsweringMember) -> list[float]:
    """Prompt tokens a second that one member believes of others."""
    view = seer.group.view(INFO.digest)
    assert view is not None
    return [prefill_rate(member) for one in seen if (member := view.member(one.node_id)) is not None]


async def until_found(network: Timed, nodes: Sequence[int], limit: int) -> None:
    """Let epochs pass until these are known to be slower than they say."""
    for _ in range(limit):
        await network.epochs(1)
        found = slower(network)
        if all(found[node] is not None for node in nodes):
            return
    raise AssertionError(f"not all of {nodes} were found: {slower(network)}")


async def test_an_advertised_speed_is_cut_to_what_was_measured_and_an_honest_one_is_not() -> None:
    network = await timed([SPEED, 4 * SPEED, SPEED, SPEED], machines=[0, 1, 2, 2])
    honest, liar, one, other = network.overlay.machines
    async with network.running():
        await until_found(network, [1, 2, 3], 30)
        found = slower(network)
        assert found[0] is None
        assert found[1] is not None
        assert 0.8 * SPEED < found[1] < 1.1 * SPEED
        assert found[2] is not None
        assert found[3] is not None
        assert 0.4 * SPEED < found[2] + found[3] < 1.3 * SPEED, "a machine behind two identities counts about once"
        await network.overlay.until_true(lambda: honest.knows([liar, one, other]), 10)
        assert rates(honest, liar) == [4 * SPEED], "before the standings are here its word counts"
        book = StandingBook(True, network.state.standings, network.state.height)
        honest.group.update_standings(book)
        assert rates(honest, liar, one, other) == found[1:]
        liar.group.update_standings(book)
        assert rates(liar, honest) == [SPEED]
    reports = network.reports
    assert {one.member for one in reports} == set(network.state.members)
    assert not network.refused
    assert max(len(report.measured) for report in reports) >= 3, "who may be one machine is asked together"
    # Nothing of it is more than anybody's chat: each is a conversation that ends with a long question.
    asked = [request for node in network.overlay.machines for request in node.writer.asked]
    long = [request for request in asked if tokens_of(request) > LONG]
    assert long
    chats = [[message.role for message in request.messages][-3:] for request in long if request.prompt is None]
    assert all(roles == ["user", "assistant", "user"] for roles in chats)


async def test_who_answers_timed_questions_with_quick_garbage_gains_no_speed() -> None:
    network = await timed([SPEED, 4 * SPEED])
    writer = network.overlay.machines[1].writer
    assert isinstance(writer, Reading)
    writer.skips = True
    async with network.running():
        await until_found(network, [1], 30)
        honest, garbage = slower(network)
        assert honest is None
        assert garbage is not None
        assert garbage < SPEED / 4, "what it has not read does not count as read"
    standings = [network.state.standing_of(node.node_id) for node in network.overlay.machines]
    assert not any(one.excluded for one in standings), "slow is no crime"
