"""One member shows the others different results, or some of them none: blocks are agreed on all the same."""

from __future__ import annotations

import hashlib
from collections import deque
from functools import partial

import msgspec

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.block import make_block as make_real_block
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.committee.agreement import Agreement
from engine.verification.committee.committee import Committee, sign
from engine.verification.committee.effects import Decided, Effect, Send
from engine.verification.committee.timing import timing_of
from engine.verification.signing import sign_record
from engine.wire.blocks import (
    Block,
    CommitteeNews,
    Proposal,
    Vote,
    agreement_decoder,
    block_decoder,
    committee_record_decoder,
)
from engine.wire.challenges import Unanswered
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODE = identity(0)
MOST_ROUNDS = 12
SECONDS = 600.0


class Height:
    """The block of epoch 1 with one faulty member (``liar``) of four, over links that lose nothing."""

    def __init__(self, network: Judging, liar: Identity) -> None:
        self.network, self.liar = network, liar
        self.honest = [one for one in network.members if one is not liar]
        self.books = {one.public_key: RecordBook() for one in self.honest}
        self.decided: dict[int, Block] = {}
        state = network.state
        self.committee = Committee(network.network_id, state.members, state.output)
        self.machines = {state.members.index(one.public_key): self._machine(one) for one in self.honest}
        self.waiting: deque[tuple[int, Effect]] = deque()

    def _machine(self, member: Identity) -> Agreement:
        state, book, network = self.network.state, self.books[member.public_key], self.network

        def propose(number: int) -> bytes:
            issued = int(network.begins(1)) + 60
            return make_real_block(state, book.material(), epoch=1, round_number=number, proposer=member, issued=issued)

        def refusal(encoded: bytes, *, seen: bool) -> str | None:
            try:
                check_block(state, encoded, record_of=None if seen else book.record_of)
            except VerificationError as error:
                return str(error)
            return None

        return Agreement(
            member,
            self.committee,
            state.height + 1,
            propose=propose,
            validate=partial(refusal, seen=False),
            validate_seen=partial(refusal, seen=True),
            timing=timing_of(SECONDS),
            start=0.0,
        )

    def tell(self, signed: SignedRecord, *members: Identity) -> None:
        for member in members:
            assert self.books[member.public_key].add(signed, self.network.state, 1)

    def run(self, *, liar_prevotes: bool = False) -> None:
        now = 0.0
        while len(self.decided) < len(self.machines):
            for index, machine in self.machines.items():
                self.waiting += ((index, effect) for effect in machine.tick(now))
            while self.waiting:
                self._carry(*self.waiting.popleft(), now, liar_prevotes)
            deadlines = [one for machine in self.machines.values() if (one := machine.next_deadline()) is not None]
            now = max(now + 0.1, min(deadlines, default=now))
            rounds = [machine.round for machine in self.machines.values()]
            assert max(rounds) < MOST_ROUNDS, "no block is ever agreed on"

    def _carry(self, sender: int, effect: Effect, now: float, liar_prevotes: bool) -> None:
        if isinstance(effect, Decided):
            self.decided[sender] = block_decoder.decode(effect.certified.block)
        elif isinstance(effect, Send):
            for index in self.machines.keys() - {sender} if effect.to is None else {effect.to} & self.machines.keys():
                self.waiting += ((index, one) for one in self.machines[index].receive(sender, effect.message, now))
            if liar_prevotes and effect.to is None and isinstance(effect.message, CommitteeNews):
                self._prevote_once(effect.message, now)

    def _prevote_once(self, news: CommitteeNews, now: float) -> None:
        """For what is proposed in round 0; then the liar says nothing any more."""
        record = agreement_decoder.decode(news.item.record)
        if isinstance(record, Proposal) and record.round == 0:
            digest = hashlib.sha256(record.block).digest()
            vote = Vote(self.network.network_id, record.height, 0, False, digest)
            message = CommitteeNews(sign(self.liar, self.network.network_id, vote))
            liar = self.network.state.members.index(self.liar.public_key)
            for index, machine in self.machines.items():
                self.waiting += ((index, one) for one in machine.receive(liar, message, now))


def begun() -> tuple[Judging, Identity, SignedRecord]:
    """Everybody has to check NODE in epoch 1; the last leader of the first rounds is the liar, with its result."""
    network = judging(4)
    network.append(0, Material(commitments=network.commit_all(1, [NODE])))
    liar = network.leader(3)
    return network, liar, network.unanswered(1, liar, NODE.node_id)


def test_who_tells_everybody_something_else_holds_up_no_block() -> None:
    network, liar, told = begun()
    height = Height(network, liar)
    said = committee_record_decoder.decode(told.record)
    assert isinstance(said, Unanswered)
    for number, member in enumerate(height.honest):
        height.tell(sign_record(liar, msgspec.structs.replace(said, reason=f"reason {number}")), member)
    own = network.unanswered(1, height.honest[0], NODE.node_id)
    height.tell(own, *height.honest)
    height.run()
    block, *others = height.decided.values()
    assert all(other == block for other in others)
    assert block.round == 2, "two rounds failed, more than one faulty member can lead"
    place = network.state.members.index(liar.public_key)
    assert all(one.author != place for one in block.unjudged)


def test_who_shows_its_result_to_some_cannot_lock_them_on_a_block_that_others_refuse() -> None:
    network, liar, told = begun()
    height = Height(network, liar)
    first = network.leader(0)
    other, without = (one for one in height.honest if one is not first)
    height.tell(told, first, other)
    assert height.books[without.public_key].record_of(hashlib.sha256(told.record).digest()) is None
    height.run(liar_prevotes=True)
    assert {block.round for block in height.decided.values()} == {0}
    assert all(len(block.unjudged) == 1 for block in height.decided.values())
