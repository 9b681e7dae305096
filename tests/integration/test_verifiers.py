"""Four verifiers check model nodes through the overlay, agree on blocks, and find out who serves not what it claims.

Everything is what a node runs but two things: members hear each other at once instead of over links, and the reference
model knows here what every honest machine writes.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import UnknownModelError
from engine.inference.types import GenerationRequest, ModelInfo, TokenScores
from engine.node import serving_role
from engine.node.answer_scorer import AnswerScorer
from engine.node.challenge_chat import Asking, ChallengeChats, NothingSignedError, Signed
from engine.node.verifier_role import VerifierRole
from engine.node.verifier_store import VerifierStore
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.promises import Promises
from engine.verification.chain.state import first_state
from engine.verification.challenges import duties
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.challenges.plan import Planned
from engine.verification.challenges.pool import read_pool
from engine.verification.committee.agreement import Agreement
from engine.verification.committee.committee import Committee
from engine.verification.committee.effects import Decided, Send
from engine.verification.committee.timing import timing_of
from engine.verification.epochs import epoch_at
from engine.verification.receipts import Served, make_receipt
from engine.verification.reputation.page import OURS
from engine.verification.scoring.calibration import Calibrations
from engine.verification.scoring.score import contradiction
from engine.verification.signing import sign_record
from engine.wire.answer import Receipt
from engine.wire.blocks import Block, CertifiedBlock, block_decoder
from engine.wire.challenges import Score
from engine.wire.records import Parameters
from engine.wire.signed import SignedRecord
from tests.integration.test_challenge_chat import BreakingOverlay
from tests.support.answering_overlay import INFO, WRITTEN, AnsweringOverlay
from tests.support.calibrations import calibration
from tests.support.judging import Judging, judging
from tests.support.overlay import NETWORK, TICK
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

DIRECT = Parameters(n=1, k=1, path_length=0, one_prefix=True, allow_loopback=True)
EPOCH_SECONDS = 4.0
SAID = WRITTEN.encode()[:90]
OTHER = b"something else was written by a smaller model, or the same with another seed than it was told......"[:90]


class Reference:
    """The reference model's worker: it would have written :data:`SAID`."""

    info = INFO

    def models(self) -> list[ModelInfo]:
        return [self.info]

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        margins = tuple(-0.05 if one == said else 2.0 for one, said in zip(output_ids, SAID, strict=False))
        return TokenScores((1, 2, 3), margins, (-1.0,) * len(margins))


class Verified:
    """An overlay with members of the committee, each asking through the overlay's client."""

    epoch_seconds = EPOCH_SECONDS
    most_rounds = 1
    """That a block may take."""

    def __init__(self, overlay: AnsweringOverlay) -> None:
        self.overlay = overlay
        clock = overlay.scheduler.clock
        self.network: Judging = judging(4, epoch_seconds=self.epoch_seconds)
        genesis = msgspec.structs.replace(self.network.genesis.genesis, created=int(clock.wall()))
        self.state = replace(first_state(self.network.genesis), network_id=NETWORK, genesis=genesis)
        self.blocks: list[Block] = []
        self.roles = [self._role(member) for member in self.network.members]
        self.refused: list[str] = []
        self._connect()

    def _connect(self) -> None:
        directory = self.overlay.client._directory
        assert directory is not None
        for role in self.roles:
            role.tell = partial(self._pass_on, role)
            role.update_directory(directory)

    def restart(self, folder: Path | None = None) -> None:
        """All members begin anew, with nothing but the chain and what they keep in this folder."""
        self.roles = [self._role(member) for member in self.network.members]
        self._connect()
        if folder is not None:
            self.keep_in(folder)

    def keep_in(self, folder: Path) -> None:
        for number, role in enumerate(self.roles):
            role.recall(VerifierStore(folder / str(number)))

    def _role(self, member: Identity) -> VerifierRole:
        overlay = self.overlay
        clock = overlay.scheduler.clock
        chats = ChallengeChats(overlay.client, NETWORK, clock, overlay.random_bytes)
        chats.sleep = overlay.sleep
        known = msgspec.structs.replace(calibration(), digest=INFO.digest.hex())
        scorer = AnswerScorer(Reference(), Calibrations([known]))
        pool = read_pool([QUESTIONS], WORDS, MANNERS)
        role = VerifierRole(member, self.state, pool, chats, scorer.score, clock, overlay.random_bytes)
        role.sleep, role.checkable.holds = overlay.sleep, scorer.holds
        return role

    def _pass_on(self, sender: VerifierRole, signed: SignedRecord) -> None:
        for role in self.roles:
            if role is not sender and (reason := role.heard(signed)):
                self.refused.append(reason)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.overlay.running(), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(role.run()) for role in self.roles]
            yield
            for task in running:
                task.cancel()

    async def epochs(self, count: int) -> None:
        """Let epochs pass; at nine tenths of each a block is agreed upon."""
        for _ in range(count):
            epoch = epoch_at(self.state.genesis, self.overlay.scheduler.clock.wall())
            end = self.state.genesis.created + (epoch + 0.9) * self.epoch_seconds
            await self.overlay.pass_time(end - self.overlay.scheduler.clock.wall())
            self.agree()
            await self.overlay.pass_time(self.epoch_seconds / 10 + TICK)

    def agree(self) -> None:
        """All members come to agree on the block of this moment."""
        committee = Committee(self.state.network_id, self.state.members, self.state.output)
        now, height = self.overlay.scheduler.now(), self.state.height + 1
        roles = {committee.index(role._identity.public_key): role for role in self.roles}
        machines = {
            index: Agreement(
                role._identity,
                committee,
                height,
                propose=role.propose,
                validate=role.refusal,
                validate_seen=partial(role.refusal, seen=True),
                timing=timing_of(self.epoch_seconds),
                start=now,
            )
            for index, role in roles.items()
            if index is not None
        }
        decided: dict[int, CertifiedBlock] = {}
        while len(decided) < len(self.roles):
            posted = deque((index, effect) for index, machine in machines.items() for effect in machine.tick(now))
            while posted:
                sender, effect = posted.popleft()
                if isinstance(effect, Decided):
                    decided[sender] = effect.certified
                elif isinstance(effect, Send):
                    for index in machines.keys() - {sender} if effect.to is None else {effect.to}:
                        posted += ((index, one) for one in machines[index].receive(sender, effect.message, now))
            now = min((one for machine in machines.values() if (one := machine.next_deadline())), default=now)
            rounds = [machine.round for machine in machines.values()]
            assert max(rounds) < self.most_rounds, "everybody decides at once where nobody is late or lies"
        (encoded,) = {certified.block for certified in decided.values()}
        self.state = check_certified(self.state, decided[0])
        self.blocks.append(block_decoder.decode(encoded))
        for role in self.roles:
            role.decided(self.state, encoded)

    def standing(self, machine: int) -> Any:
        return self.state.standing_of(self.overlay.machines[machine].node_id)


async def verified(machines: int = 3, **options: Any) -> Verified:
    overlay = AnsweringOverlay(parameters=DIRECT, models=machines, pace=0.005, **options)
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    for machine in overlay.machines:
        machine.writer.written = SAID
    return Verified(overlay)


async def test_who_serves_what_it_claims_rises_and_who_does_not_is_excluded() -> None:
    network = await verified()
    network.overlay.machines[2].writer.written = OTHER
    async with network.running():
        await network.epochs(7)
    honest = [network.standing(0), network.standing(1)]
    assert all(standing.reputation > 500_000 and standing.suspicion == 0 for standing in honest), honest
    assert network.standing(2).excluded
    assert network.standing(2).reputation == 0
    fails = 0
    for block in network.blocks:
        fails += sum(
            entry.node == network.overlay.machines[2].node_id and entry.score.verdict == 2 for entry in block.entries
        )
    assert fails >= 3
    blocks = network.blocks
    assert all(block.missed == () for block in blocks)
    assert {entry.turn for block in blocks for entry in block.entries} == {0, 1}, "later turns are judged, too"
    asked = [asked for machine in network.overlay.machines for asked in machine.writer.asked]
    assert {len(one.messages) for one in asked} >= {1, 2, 3}, "some with a system prompt, some with an earlier turn"


async def test_a_leader_that_leaves_out_what_others_promise_lets_nobody_go_unchecked() -> None:
    network = await verified()
    network.overlay.machines[2].writer.written = OTHER
    liar, network.most_rounds = network.roles[0], 2

    def leave_out(round_number: int) -> bytes | None:
        held, liar.book.promises = liar.book.promises, Promises()
        proposed = VerifierRole.propose(liar, round_number)
        liar.book.promises = held
        return proposed

    liar.propose = leave_out  # type: ignore[method-assign]
    async with network.running():
        await network.epochs(8)
    assert network.standing(2).excluded
    assert not network.standing(0).excluded
    assert all(len(block.commitments) == 4 for block in network.blocks)
    assert all(block.proposer != liar._identity.public_key for block in network.blocks)
    assert {block.round for block in network.blocks} == {0, 1}, "it loses its turns"


async def test_a_leader_that_leaves_out_what_others_have_found_loses_its_turn() -> None:
    """It would else keep out of the chain whatever speaks against its friend."""
    network = await verified()
    network.overlay.machines[2].writer.written = OTHER
    liar, network.most_rounds = network.roles[0], 2
    everything = liar.book.material
    liar.book.material = lambda since=math.inf: replace(everything(since), duties=(), records=())  # type: ignore[method-assign]
    async with network.running():
        await network.epochs(8)
    assert network.standing(2).excluded
    assert not network.standing(0).excluded
    by_liar = [block for block in network.blocks if block.proposer == liar._identity.public_key]
    assert all(block.epoch <= network.blocks[0].epoch for block in by_liar), "before anything was found"
    assert sum(len(block.entries) > 0 for block in network.blocks) >= 6
    assert 1 in {block.round for block in network.blocks}, "it has led, and lost its turns"


class Otherwise(Reference):
    """A reference model of the same name in another version, whose margins would fail everybody."""

    info = msgspec.structs.replace(INFO, digest=b"o" * 32)

    def __init__(self) -> None:
        self.scored = 0

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        self.scored += 1
        return TokenScores((1, 2, 3), (2.0,) * len(output_ids), (-1.0,) * len(output_ids))


@pytest.mark.parametrize("others", [1, 3, 4])
async def test_a_verifier_with_another_version_of_the_model_passes_and_fails_nobody(others: int) -> None:
    """It scores nothing. One of four holds nothing up; where three have none of it, nobody can be judged."""
    network = await verified(2)
    network.overlay.machines[1].writer.written = OTHER
    reference = Otherwise()
    known = msgspec.structs.replace(calibration(), digest=reference.info.digest.hex())
    wrong = network.roles[:others]
    for role in wrong:
        scorer = AnswerScorer(reference, Calibrations([known]))
        role._attesting._score, role.checkable.holds = scorer.score, scorer.holds
    async with network.running():
        await network.epochs(4)
    places = {network.state.members.index(role._identity.public_key) for role in wrong}
    entries = [entry for block in network.blocks for entry in block.entries]
    assert reference.scored == 0
    assert not places & {place for entry in entries for place, _, _ in entry.attestations}
    assert not network.standing(0).excluded
    if others == 1:
        assert network.standing(0).good >= 3
        assert network.standing(1).excluded
    else:
        assert not entries
        assert not network.state.standings
        assert {one.asked for block in network.blocks for one in block.unjudged} == {
            machine.node_id for machine in network.overlay.machines
        }
    assert not network.refused
    (opened, *_) = [one for one in wrong[0].book._opened.values() if isinstance(one, OpenedEvidence)]
    with pytest.raises(UnknownModelError, match="not here in the version that was asked"):
        await AnswerScorer(reference, Calibrations([known])).score(opened)


async def test_what_a_verifier_scores_with_another_version_of_the_model_is_refused_with_the_reason() -> None:
    """One whose program believes that any version will do, and says which it has taken."""
    network = await verified(2)
    wrong = network.roles[0]

    async def score(opened: OpenedEvidence) -> Score:
        return contradiction(len(opened.output_ids))

    def named(record: Any) -> bool:
        network._pass_on(wrong, sign_record(wrong._identity, msgspec.structs.replace(record, model=b"o" * 32)))
        return True

    wrong._attesting._score, wrong._attesting._publish = score, named
    async with network.running():
        await network.epochs(3)
    assert network.standing(0).good >= 2
    assert network.standing(1).good >= 2
    assert {"An attestation is of another version of the model than the answer was asked of."} == set(network.refused)
    place = network.state.members.index(wrong._identity.public_key)
    assert place not in {one for block in network.blocks for entry in block.entries for one, _, _ in entry.attestations}


async def test_a_new_block_of_an_epoch_that_is_over_gets_no_vote() -> None:
    network = await verified()
    async with network.running():
        await network.epochs(1)
        block = next(made for role in network.roles if (made := role.propose(0)) is not None)
        assert [role.refusal(block) for role in network.roles] == [None] * len(network.roles)
        await network.overlay.pass_time(1.1 * network.epoch_seconds)
        assert all("which is over" in (role.refusal(block) or "") for role in network.roles)
        assert [role.refusal(block, seen=True) for role in network.roles] == [None] * len(network.roles)


async def test_what_the_lot_has_given_is_told_when_it_is_over_and_judged_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but its author could see before that it had the duty, so nobody would have kept it."""
    monkeypatch.setattr(duties, "ALWAYS_BELOW", 1)
    monkeypatch.setattr(duties, "LEAST_RATE_PARTS", 2)
    network = await verified()
    async with network.running():
        await network.epochs(8)
    waited = [block.epoch - entry.epoch for block in network.blocks[3:] for entry in block.entries]
    assert set(waited) <= {0, 1}
    assert 1 in waited
    assert not network.refused
    assert all(block.missed == () for block in network.blocks)


async def test_a_new_node_that_turns_bad_is_found_and_one_that_turns_good_is_suspected_less_and_less() -> None:
    network = await verified(2)
    bad = network.overlay.machines[1]
    async with network.running():
        await network.epochs(3)
        assert 1 <= network.standing(1).good < 10
        bad.writer.written = OTHER
        await network.epochs(3)
        suspicion = network.standing(1).suspicion
        assert network.standing(1).excluded
        bad.writer.written = SAID
        await network.epochs(3)
    assert network.standing(1).suspicion < suspicion == 24_000
    assert network.standing(1).excluded
    assert not network.standing(0).excluded


@pytest.mark.parametrize("years", [-20, 10])
async def test_who_signs_a_wrong_date_is_judged_all_the_same(monkeypatch: pytest.MonkeyPatch, years: int) -> None:
    network = await verified(2)
    bad = network.overlay.machines[1]

    def misdated(identity: Identity, network_id: bytes, work: Served) -> Receipt:
        shift = years * 31_536_000 if identity.node_id == bad.node_id else 0
        return make_receipt(identity, network_id, replace(work, issued=max(0, work.issued + shift)))

    monkeypatch.setattr(serving_role, "make_receipt", misdated)
    async with network.running():
        await network.epochs(3)
        assert network.standing(1).good >= 1
        assert not network.standing(1).excluded
        bad.writer.written = OTHER
        await network.epochs(4)
    assert network.standing(1).excluded
    assert not network.standing(0).excluded
    assert not network.refused


async def test_who_does_not_answer_is_not_judged_and_nobody_has_missed_a_duty() -> None:
    network = await verified(2)
    silent = network.overlay.machines[1]
    async with network.running():
        await network.epochs(1)
        network.overlay.kill(silent)
        silent.stalled = True
        await network.epochs(6)
    assert silent.node_id not in network.state.standings
    assert network.standing(0).good >= 5
    blocks = network.blocks
    assert silent.node_id in {one.asked for block in blocks for one in block.unjudged}


async def test_who_breaks_off_its_answers_has_no_row_of_good_ones_and_is_not_excluded() -> None:
    overlay = BreakingOverlay(models=2, parameters=DIRECT, pace=0.005)
    for machine in overlay.machines:
        machine.writer.written = SAID
        machine.writer.written_until = 10_000  # type: ignore[attr-defined]
    overlay.announce()
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    network = Verified(overlay)
    async with network.running():
        await network.epochs(3)
        assert network.standing(1).good > 0
        overlay.machines[1].writer.written_until = 20  # type: ignore[attr-defined]
        await network.epochs(5)
    broken = [one for block in network.blocks for one in block.unjudged if one.broken]
    assert {one.asked for one in broken} == {overlay.machines[1].node_id}
    assert len({one.author for one in broken}) == 4
    assert not network.refused
    assert network.standing(1).good == 0
    assert network.standing(1).reputation < OURS.start
    assert not network.standing(1).excluded
    assert network.standing(0).good > 10


async def test_a_conversation_that_could_not_begin_is_tried_again() -> None:
    network = await verified(2)
    tried: Counter[bytes] = Counter()

    class Stumbling(ChallengeChats):
        async def hold(
            self, planned: Planned, said: Sequence[str] = (), asking: Asking = lambda _: None
        ) -> AsyncGenerator[Signed, None]:
            tried[planned.challenge.nonce] += 1
            if tried[planned.challenge.nonce] == 1:
                raise NothingSignedError("network_not_ready")
            async with aclosing(super().hold(planned, said, asking)) as answers:
                async for one in answers:
                    yield one

    for role in network.roles:
        overlay = network.overlay
        chats = Stumbling(overlay.client, NETWORK, overlay.scheduler.clock, overlay.random_bytes)
        role._checking._chats = chats
        chats.sleep = overlay.sleep
    async with network.running():
        await network.epochs(3)
    assert tried
    assert set(tried.values()) == {2}
    assert all(block.unjudged == () for block in network.blocks)
    assert network.standing(0).good > 0


async def test_a_member_that_begins_anew_goes_on_with_the_next_epoch() -> None:
    network = await verified(2)
    async with network.running():
        await network.epochs(2)
    good = network.standing(0).good
    assert good > 0
    network.restart()
    async with network.running():
        await network.epochs(4)
    assert network.standing(0).good > good


async def test_members_that_begin_anew_in_mid_epoch_go_on_in_the_same_one(tmp_path: Path) -> None:
    """All four at once: what was promised is asked, and what was shown before is in the block. A turn that the end has
    cut off brings nothing: a node takes the request of a turn once."""
    network = await verified(2)
    network.keep_in(tmp_path)
    async with network.running():
        await network.epochs(2)
        await network.overlay.pass_time(EPOCH_SECONDS * 0.35)
    shown = {key: value for role in network.roles for key, value in role.book._by_digest.items()}
    epoch = epoch_at(network.state.genesis, network.overlay.scheduler.clock.wall())
    later = {
        (network.state.members.index(role._identity.public_key), node)
        for role in network.roles
        for node, one in role._plans[epoch].planned.items()
        if one.begin > EPOCH_SECONDS * 0.35
    }
    network.restart(tmp_path)
    assert shown.keys() <= {key for role in network.roles for key in role.book._by_digest}
    async with network.running():
        await network.epochs(3)
    judged = {(one.author, one.asked) for block in network.blocks for one in block.entries if one.epoch == epoch}
    idle = {(one.author, one.asked) for block in network.blocks for one in block.unjudged if one.epoch == epoch}
    assert len(judged | idle) == 8, "four members for each of two nodes, as in any epoch"
    assert later
    assert later <= judged, "what had not begun is asked and judged"
    assert judged.isdisjoint(idle)
    assert all(block.missed == () for block in network.blocks)
    assert not network.refused
