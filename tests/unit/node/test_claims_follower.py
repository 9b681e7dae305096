"""What a verifier brings to blocks of the server: what proves itself, of nodes that anybody could ask."""

from __future__ import annotations

import os
from typing import Any

import pytest

from engine.clock import ManualClock
from engine.errors import BootstrapUnreachableError, WireError
from engine.node.claims_follower import ClaimsFollower
from engine.node.verifier_role import VerifierRole
from engine.verification.batches import make_batch
from engine.verification.challenges.pool import read_pool
from engine.verification.quorums import VOTE_PURPOSE
from engine.wire.blocks import ChainRecords, Vote, block_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging
from tests.support.records import identity
from tests.unit.verification.chain.test_claims import NODES, established, missed
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS


def contradiction(network: Judging, owner: int) -> bytes:
    made = [make_batch(identity(owner), network.network_id, 3, [bytes((one,)) * 32], 1, b"s") for one in (1, 2)]
    return encode(Contradiction(*made))


def votes(network: Judging) -> bytes:
    def vote(digest: bytes) -> SignedRecord:
        record = encode(Vote(network.network_id, 1, 0, True, digest))
        return SignedRecord(record, NODES[0].public_key, NODES[0].sign(VOTE_PURPOSE, network.network_id, record))

    return encode(Contradiction(vote(b"a" * 32), vote(b"b" * 32)))


def verifier(network: Judging) -> VerifierRole:
    async def never(_: object) -> Any:
        raise AssertionError("nothing is scored here")

    clock = ManualClock(network.begins(7) + 100)
    pool = read_pool([QUESTIONS], WORDS, MANNERS)
    chats: Any = None
    return VerifierRole(network.leader(), network.state, pool, chats, never, clock, os.urandom)


async def test_what_the_server_shows_comes_into_a_block_and_nonsense_does_not() -> None:
    network = established()
    judged, stranger = 0, 900  # of whom no block and no directory knows
    stored = {
        "/v1/changes": [
            encode(network.show_duties(7, network.members[1])),  # as a server would that spends a member's few tries
            encode(SignedRecord(b"nonsense", network.members[1].public_key, b"s" * 64)),
            *(encode(one) for one in network.changes(add=[identity(70).public_key])),
        ],
        "/v1/openings/missed": [encode(missed(network, NODES[1])), encode(missed(network, by=identity(3)))],
        "/v1/contradictions/0": [
            b"nonsense",
            votes(network),
            contradiction(network, stranger),
            contradiction(network, judged),
        ],
        "/v1/contradictions/4": [],
    }
    asked: list[str] = []

    async def read(path: str, _limit: int) -> bytes:
        asked.append(path)
        return encode(ChainRecords(records=tuple(stored[path])))

    role = verifier(network)
    await ClaimsFollower(role, read).look()
    assert asked == ["/v1/changes", "/v1/contradictions/0", "/v1/contradictions/4", "/v1/openings/missed"]
    encoded = role.propose(0)
    assert encoded is not None
    block = block_decoder.decode(encoded)
    assert [one.first.key for one in block.contradictions] == [NODES[judged].public_key]
    assert len(block.hidden) == 1
    assert block.next_members[-1] == identity(70).public_key
    assert role.refusal(encoded) is None, "others vote for it without having heard of any of this"


async def test_a_server_that_is_away_or_says_nonsense_costs_nothing() -> None:
    network = established()

    async def away(path: str, _limit: int) -> bytes:
        raise BootstrapUnreachableError("away")

    async def nonsense(path: str, _limit: int) -> bytes:
        return encode(ChainRecords(records=(b"x",)))

    with pytest.raises(BootstrapUnreachableError):
        await ClaimsFollower(verifier(network), away).look()
    with pytest.raises(WireError):
        await ClaimsFollower(verifier(network), nonsense).look()
