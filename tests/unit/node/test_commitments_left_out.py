"""A leader leaves out what others have promised, a member shows its own to some only. The members are real ones."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.node.verifier_role import VerifierRole
from engine.verification.chain import promises
from engine.verification.chain.block import make_block
from engine.verification.challenges.pool import read_pool
from engine.verification.committee.agreement import Agreement
from engine.verification.committee.committee import Committee
from engine.verification.committee.effects import Decided, Effect, Send
from engine.verification.committee.timing import timing_of
from engine.wire.blocks import Block, block_decoder
from engine.wire.signed import SignedRecord
from tests.support.judging import judging
from tests.support.records import identity
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

NODE = identity(0).node_id
SECONDS = 6_000.0
"""Of an epoch, so that all rounds that are looked at are over before it ends."""
MOST_ROUNDS = 12


async def never(_: object) -> Any:
    raise AssertionError("nothing is scored here")


class Height:
    """The first block of a network, over links that lose nothing. Members are named by the round that they lead.
    ``liars`` pass nothing on and vote for nothing but blocks of their own, which leave everything out; where
    ``passes_on`` is False nobody passes anything on."""

    def __init__(self, *liars: int, members: int = 4, passes_on: bool = True) -> None:
        self.network = judging(members, epoch_seconds=SECONDS)
        self.state = self.network.state
        self.liars = liars
        self.clock = ManualClock(self.network.begins(0) + 0.25 * SECONDS)
        self.decided: dict[int, Block] = {}
        self.told: list[tuple[int, SignedRecord]] = []
        self._committee = Committee(self.network.network_id, self.state.members, self.state.output)
        self._places = [self._committee.leader(number) for number in range(members)]
        self._waiting: deque[tuple[int, Effect]] = deque()
        self.roles = [self._role(number) for number in range(members)]
        for number, role in enumerate(self.roles):
            if passes_on and number not in liars:
                role.tell = partial(self._tell, number)

    def _role(self, number: int) -> VerifierRole:
        chats: Any = None
        pool = read_pool([QUESTIONS], WORDS, MANNERS)
        member = self.network.leader(number)
        return VerifierRole(member, self.state, pool, chats, never, self.clock, os.urandom)

    def _tell(self, sender: int, signed: SignedRecord) -> None:
        self.told.append((sender, signed))
        for role in self.roles:
            if role is not self.roles[sender]:
                assert role.heard(signed) == ""

    def promise(self, author: int, *to: int) -> None:
        """To these, or to everybody."""
        signed = self.network.commit(1, self.network.leader(author), [NODE])
        for number in to or range(len(self.roles)):
            assert self.roles[number].heard(signed) == ""

    def agree(self) -> Block:
        """What all honest members decide on, at 70 % of the epoch."""
        self.clock.set(self.network.begins(0) + 0.7 * SECONDS)
        machines = {self._places[number]: self._machine(number) for number in range(len(self.roles))}
        honest = {self._places[number] for number in range(len(self.roles)) if number not in self.liars}
        while not honest <= self.decided.keys():
            now = self.clock.monotonic()
            for index, machine in machines.items():
                self._waiting += ((index, effect) for effect in machine.tick(now))
            while self._waiting:
                self._carry(machines, *self._waiting.popleft(), now)
            deadlines = [one for machine in machines.values() if (one := machine.next_deadline()) is not None]
            self.clock.set(max(now + 0.1, min(deadlines, default=now)))
            assert max(machine.round for machine in machines.values()) < MOST_ROUNDS, "no block is ever agreed on"
        block, *others = (self.decided[index] for index in honest)
        assert all(other == block for other in others)
        return block

    def _carry(self, machines: dict[int, Agreement], sender: int, effect: Effect, now: float) -> None:
        if isinstance(effect, Decided):
            self.decided[sender] = block_decoder.decode(effect.certified.block)
        elif isinstance(effect, Send):
            for index in machines.keys() - {sender} if effect.to is None else {effect.to}:
                self._waiting += ((index, one) for one in machines[index].receive(sender, effect.message, now))

    def _machine(self, number: int) -> Agreement:
        role, is_liar = self.roles[number], number in self.liars

        def leave_out(round_number: int) -> bytes:
            material = replace(role.book.material(), commitments=())
            leader, issued = self.network.leader(number), int(self.clock.wall())
            return make_block(self.state, material, epoch=0, round_number=round_number, proposer=leader, issued=issued)

        def refuse(encoded: bytes) -> str | None:
            is_own = block_decoder.decode(encoded).proposer == self.network.leader(number).public_key
            return None if is_own else "a liar votes for nobody else"

        return Agreement(
            self.network.leader(number),
            self._committee,
            self.state.height + 1,
            propose=leave_out if is_liar else role.propose,
            validate=refuse if is_liar else role.refusal,
            validate_seen=refuse if is_liar else partial(role.refusal, seen=True),
            timing=timing_of(SECONDS),
            start=self.clock.monotonic(),
        )


def test_a_leader_that_leaves_out_commitments_loses_its_turn() -> None:
    height = Height(0)
    for author in range(4):
        height.promise(author)
    block = height.agree()
    assert (block.round, len(block.commitments)) == (1, 4)


def test_what_has_just_come_an_honest_leader_may_lack() -> None:
    height = Height(passes_on=False)
    height.clock.set(height.network.begins(0) + 0.61 * SECONDS)
    height.promise(3, 1, 2, 3)
    block = height.agree()
    assert (block.round, len(block.commitments)) == (0, 0)


def test_who_shows_its_commitment_to_one_has_shown_it_to_all() -> None:
    height = Height(3)
    height.promise(3, 1)
    assert {sender for sender, _ in height.told} == {0, 1, 2}
    block = height.agree()
    assert (block.round, len(block.commitments)) == (0, 1)


def test_what_was_lost_on_its_way_is_told_with_the_refusal() -> None:
    height = Height(3, passes_on=False)
    height.promise(3, 1)
    for number in range(3):
        height.roles[number].tell = partial(height._tell, number)
    block = height.agree()
    assert (block.round, len(block.commitments)) == (1, 1), "the first leader had it not, and nobody votes for it then"


def test_two_liars_that_each_show_theirs_to_one_hold_up_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """With seven members, of whom five decide: without the last round in which it counts they would for ever."""

    def two_sided() -> Height:
        height = Height(5, 6, members=7, passes_on=False)
        height.promise(5, 0)
        height.promise(6, 1)
        return height

    assert two_sided().agree().round == 6, "it counts until round 5; then any block will do, a liar's too"
    monkeypatch.setattr(promises, "last_bound_round", lambda _: 1_000)
    with pytest.raises(AssertionError, match="no block is ever agreed on"):
        two_sided().agree()


def test_a_block_for_which_a_quorum_has_voted_lacks_nothing() -> None:
    height = Height()
    for author in range(4):
        height.promise(author)
    empty = make_block(
        height.state,
        replace(height.roles[0].book.material(), commitments=()),
        epoch=0,
        round_number=0,
        proposer=height.network.leader(0),
        issued=int(height.clock.wall()),
    )
    height.clock.set(height.network.begins(0) + 0.5 * SECONDS)
    height.told.clear()
    assert "must have had: 4 commitments, 0 results" in (height.roles[1].refusal(empty) or "")
    assert len(height.told) == 4, "whoever leads next shall have them"
    assert height.roles[1].refusal(empty, seen=True) is None
