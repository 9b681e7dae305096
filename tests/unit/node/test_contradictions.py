"""Who contradicts itself is excluded by everybody who sees the proof, and nobody by what proves nothing."""

from __future__ import annotations

import asyncio

import pytest

from engine.api.badge import badge_of
from engine.directory.standing import StandingBook
from engine.errors import BootstrapUnreachableError
from engine.ids import NodeId
from engine.node import contradictions
from engine.node.contradictions import ContradictionsFollower
from engine.node.standings import machine_standing
from engine.verification.batches import make_batch
from engine.verification.quorums import VOTE_PURPOSE
from engine.wire.blocks import ChainRecords, Vote
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord
from tests.support.judging import judging
from tests.support.records import identity, seeded
from tests.unit.api.test_badge import done

LIAR, HONEST = identity(1), identity(2)
NETWORK = judging()


def vote(digest: bytes) -> SignedRecord:
    record = encode(Vote(NETWORK.network_id, 1, 0, True, digest))
    signature = HONEST.sign(VOTE_PURPOSE, NETWORK.network_id, record)
    return SignedRecord(record=record, key=HONEST.public_key, signature=signature)


def batches(epochs: tuple[int, int], owner=LIAR) -> bytes:
    made = [
        make_batch(owner, NETWORK.network_id, epoch, [bytes((place,)) * 32], 1, b"s")
        for place, epoch in enumerate(epochs)
    ]
    return encode(Contradiction(*made))


async def test_proven_contradictions_count_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradictions, "LOOK_SECONDS", 0.01)
    stored = [
        b"nonsense",
        batches((3, 4), HONEST),
        encode(Contradiction(vote(b"a" * 32), vote(b"b" * 32))),  # a member's, not a node's
    ]
    asked: list[str] = []

    async def read(path: str, _limit: int) -> bytes:
        asked.append(path)
        if len(asked) == 1:
            raise BootstrapUnreachableError("away")
        return encode(ChainRecords(records=tuple(stored[int(path.rpartition("/")[2]) :])))

    told: list[frozenset[NodeId]] = []
    follower = ContradictionsFollower(NETWORK.genesis, read, seeded(1), lambda: told.append(follower.nodes))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        while len(asked) < 4:
            await asyncio.sleep(0.005)
        assert told == []
        stored.append(batches((3, 3)))
        while not told:
            await asyncio.sleep(0.005)
        running.cancel()
    assert told == [frozenset([LIAR.node_id])]
    assert {"/v1/contradictions/0", "/v1/contradictions/3"} <= set(asked)


def test_who_contradicted_itself_is_excluded_whatever_its_standing() -> None:
    book = StandingBook(True, contradicted=frozenset([LIAR.node_id]))
    assert book.of(LIAR.node_id).excluded
    assert not book.of(HONEST.node_id).excluded
    assert not StandingBook(False, contradicted=frozenset([LIAR.node_id])).of(LIAR.node_id).excluded
    badge, reason = badge_of(done(machine_standing(book, LIAR.node_id, 0, 600)))
    assert badge == "unverified"
    assert "contradict each other" in reason
