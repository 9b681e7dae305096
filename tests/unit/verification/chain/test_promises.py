"""What a leader leaves out of what members have promised, and which block then gets no vote."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.chain.promises import HELD_FOR, Promises, last_bound_round
from engine.verification.chain.results import Material
from engine.wire.blocks import Block, block_decoder
from engine.wire.challenges import ChallengeCommitment
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODE = identity(0).node_id
WHILE = HELD_FOR * 600.0


def add(promises: Promises, network: Judging, signed: SignedRecord, epoch: int = 0, now: float = 0.0) -> bool:
    record = msgspec.msgpack.decode(signed.record, type=ChallengeCommitment)
    return promises.add(signed, record, network.state, epoch, now)


def block(network: Judging, *commitments: SignedRecord, **changes: Any) -> Block:
    made = block_decoder.decode(network.make(0, Material(commitments=commitments)))
    return msgspec.structs.replace(made, **changes)


def held(network: Judging) -> tuple[Promises, list[SignedRecord]]:
    """What everybody promises for epoch 1, heard of one second after the other."""
    promises, commitments = Promises(), [network.commit(1, member, [NODE]) for member in network.members]
    for number, signed in enumerate(commitments):
        assert add(promises, network, signed, now=float(number))
    return promises, commitments


def test_who_has_held_what_is_left_out_counts_it() -> None:
    network = judging()
    promises, commitments = held(network)
    empty, full = block(network), block(network, *commitments)
    assert [promises.left_out(empty, network.state, WHILE + now) for now in (-0.1, 0.0, 2.0, 9.0)] == [0, 1, 3, 4]
    assert promises.left_out(block(network, *commitments[1:]), network.state, WHILE) == 1
    assert promises.left_out(full, network.state, 1e9) == 0
    assert promises.lacked_by(empty, network.state) == commitments, "also what has just come"
    assert promises.lacked_by(full, network.state) == []


def test_in_rounds_behind_those_in_which_liars_can_stop_a_block_any_will_do() -> None:
    network = judging()
    promises, _ = held(network)
    assert [last_bound_round(members) for members in (4, 6, 7, 10, 64)] == [3, 3, 5, 7, 43]
    for number in range(6):
        counted = promises.left_out(block(network, round=number), network.state, 1e9)
        assert counted == (4 if number <= 3 else 0)


def test_whichever_of_two_a_member_has_signed_may_stand_in_the_block() -> None:
    network = judging()
    promises, _ = held(network)
    others = [network.commit(1, member, [NODE], nonce=b"x" * 32) for member in network.members]
    assert not any(add(promises, network, other) for other in others), "the first one is kept"
    assert promises.left_out(block(network, *others), network.state, 1e9) == 0


def test_what_could_not_stand_in_the_block_is_not_left_out() -> None:
    network = judging()
    promises, _ = held(network)
    assert promises.left_out(block(network, epoch=1), network.state, 1e9) == 0, "it takes those for epoch 2"
    stay = tuple(sorted(one.public_key for one in network.members[:2]))
    assert promises.left_out(block(network, next_members=stay), network.state, 1e9) == 2


def test_what_no_block_can_take_any_more_is_neither_wanted_nor_kept() -> None:
    network = judging()
    promises, commitments = held(network)
    assert add(promises, network, network.commit(2, network.members[0], [NODE]))
    with pytest.raises(VerificationError, match="not wanted in epoch 0"):
        add(promises, network, network.commit(3, network.members[0], [NODE]))
    with pytest.raises(VerificationError, match="no member"):
        add(promises, network, network.commit(1, identity(77), [NODE]))
    network.append(0, Material(commitments=commitments))
    promises.decided(network.state, network.state.members)
    assert [msgspec.msgpack.decode(one.record, type=ChallengeCommitment).epoch for one in promises] == [2]
    with pytest.raises(VerificationError, match="epoch 1 is not wanted"):
        add(promises, network, commitments[0])
    promises.decided(network.state, network.state.members[1:])
    assert len(list(promises)) == (network.members[0].public_key in network.state.members[1:])


def test_what_liars_promise_is_bounded() -> None:
    network, promises = judging(), Promises()
    for turn in range(50):
        for epoch in (1, 2):
            for member in network.members:
                add(promises, network, network.commit(epoch, member, [NODE], nonce=bytes([turn]) * 32), now=turn)
    assert len(list(promises)) == 8


def test_a_member_that_joins_is_asked_for_nothing_before_it_is_one() -> None:
    network = judging()
    promises, commitments = held(network)
    newcomer: Identity = identity(5)
    more = replace(network.state, members=(*network.state.members, newcomer.public_key))
    assert promises.left_out(block(network, *commitments, next_members=more.members), network.state, 1e9) == 0
