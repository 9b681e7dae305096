"""Batches at the server are bounded: what is needed is never lost, what was forgotten is never taken for new."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError

from engine.bootstrap.chain.batch_store import BatchStore, NotKept, StoredBatch
from engine.bootstrap.store import Store
from engine.errors import StorageError
from engine.wire.receipts import ReceiptBatch
from engine.wire.signed import SignedRecord

NETWORK = b"n" * 32
Add = Callable[..., Awaitable[StoredBatch | NotKept]]


def batch_of(node: int, epoch: int, root: int = 0) -> tuple[ReceiptBatch, SignedRecord]:
    key = bytes([node]) * 32
    record = b"%d %d %d" % (node, epoch, root)
    return ReceiptBatch(NETWORK, key, epoch, bytes(32), 1, 1), SignedRecord(record=record, key=key, signature=bytes(64))


@asynccontextmanager
async def opened(path: Path, at_most: int) -> AsyncIterator[BatchStore]:
    store = await Store.open(path)
    try:
        yield BatchStore(store, at_most)
    finally:
        store.close()


class Naive:
    """Everything that was ever taken, and the rules of the docstring on it."""

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self.kept: dict[tuple[int, int], tuple[bytes, int]] = {}
        self.before = -1

    def forget(self, needed: int, wanted: int) -> None:
        while self.kept:
            is_full = len(self.kept) >= self.at_most
            oldest = min(epoch for _, epoch in self.kept)
            if oldest >= (needed if is_full else min(needed, wanted)):
                return
            self.kept = {key: value for key, value in self.kept.items() if key[1] != oldest}
            self.before = max(self.before, oldest + 1)
            if len(self.kept) < self.at_most:
                return

    def add(self, node: int, epoch: int, record: bytes, stored: int) -> tuple[bytes, int] | NotKept:
        if (node, epoch) in self.kept:
            return self.kept[node, epoch]
        if epoch < self.before:
            return NotKept.FORGOTTEN
        if len(self.kept) >= self.at_most:
            return NotKept.FULL
        self.kept[node, epoch] = record, stored
        return record, stored


@pytest.mark.parametrize("seed", range(4))
async def test_it_keeps_what_a_naive_reference_keeps(tmp_path: Path, seed: int) -> None:
    """Nodes come late, twice, and with other batches; the clock jumps; the server is started anew."""
    dice = random.Random(seed)
    at_most = dice.choice((6, 15, 40))
    naive, now, seen = Naive(at_most), 10, set[object]()
    for _ in range(4):
        async with opened(tmp_path / "s", at_most) as store:
            for _ in range(120):
                now = max(10, now + dice.choice((0, 0, 0, 1, 1, 2, -3)) if dice.random() < 0.97 else now + 25)
                node, epoch, root = dice.randrange(5), now - 1 - dice.choice((0, 0, 1, 5, 12)), dice.randrange(2)
                needed, wanted = now - 5, now - dice.choice((8, 8, 14))
                batch, signed = batch_of(node, epoch, root)
                naive.forget(needed, wanted)
                expected = naive.add(node, epoch, signed.record, now)
                found = await store.add(batch, signed, now, needed=needed, wanted=wanted)
                got = (found.signed.record, found.stored) if isinstance(found, StoredBatch) else found
                assert got == expected
                seen.add(expected if isinstance(expected, NotKept) else "kept")
            assert len(naive.kept) <= at_most
            for epoch in range(now + 1):
                there = sorted(key for key in naive.kept if key[1] == epoch)
                assert len(await store.of_epoch(epoch)) == len(there)
                for node, _ in there:
                    assert await store.batch(bytes([node]) * 32, epoch) == b"%d %d %d" % (
                        node,
                        epoch,
                        int(naive.kept[node, epoch][0].rpartition(b" ")[2]),
                    )
    assert NotKept.FORGOTTEN in seen


async def test_the_disk_is_bounded_over_a_long_time(tmp_path: Path) -> None:
    """Six weeks of epochs of an hour; two weeks are kept."""
    path, sizes, kept = tmp_path / "s", [], 14 * 24
    async with opened(path, 3 * kept) as store:
        for epoch in range(3 * kept):
            batch, signed = batch_of(epoch % 3, epoch)
            found = await store.add(batch, signed, epoch * 3600, needed=epoch - 296, wanted=epoch - kept)
            assert isinstance(found, StoredBatch)
            if epoch % kept == kept - 1:
                sizes.append(path.stat().st_size)
        there = [epoch for epoch in range(3 * kept) if await store.of_epoch(epoch)]
        assert there == list(range(2 * kept - 1, 3 * kept))
        for epoch in (0, kept, 2 * kept - 2):
            batch, signed = batch_of(epoch % 3, epoch)
            assert await store.add(batch, signed, 1, needed=0, wanted=0) is NotKept.FORGOTTEN
    assert sizes[2] <= 1.05 * sizes[1]


async def test_a_full_store_gives_up_wanted_epochs_but_no_needed_one(tmp_path: Path) -> None:
    async with opened(tmp_path / "s", 4) as store:

        async def add(node: int, epoch: int) -> StoredBatch | NotKept:
            batch, signed = batch_of(node, epoch)
            return await store.add(batch, signed, 7, needed=10, wanted=0)

        for epoch in (8, 9, 10, 11):
            assert isinstance(await add(1, epoch), StoredBatch)
        assert isinstance(await add(2, 11), StoredBatch)
        assert isinstance(await add(3, 11), StoredBatch)
        assert [len(await store.of_epoch(epoch)) for epoch in (8, 9, 10, 11)] == [0, 0, 1, 3]
        assert await add(4, 11) is NotKept.FULL
        assert await add(1, 9) is NotKept.FORGOTTEN
        assert isinstance(await add(3, 11), StoredBatch), "what is there is answered as before"


async def test_what_the_disk_refuses_is_not_counted(tmp_path: Path) -> None:
    async with opened(tmp_path / "s", 2) as store:

        async def add(node: int) -> StoredBatch | NotKept:
            batch, signed = batch_of(node, 5)
            return await store.add(batch, signed, 7, needed=5, wanted=5)

        assert isinstance(await add(1), StoredBatch)
        failing = OperationalError("INSERT", {}, Exception("database or disk is full"))
        with (
            patch("engine.bootstrap.chain.batch_store.insert", side_effect=failing),
            pytest.raises(StorageError, match="disk is full"),
        ):
            await add(2)
        assert isinstance(await add(3), StoredBatch)
        assert await add(4) is NotKept.FULL


STORY = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import event
from engine.bootstrap.chain.batch_store import BatchStore, StoredBatch
from engine.bootstrap.store import Store
from tests.unit.bootstrap.chain.test_batch_store import batch_of

async def main(path, left, epoch):
    store = await Store.open(path)
    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(store._engine, "before_cursor_execute", count)
    event.listen(store._engine, "commit", count)
    batches = BatchStore(store, 20)
    while True:
        for node in range(3):
            batch, signed = batch_of(node, epoch)
            found = await batches.add(batch, signed, epoch, needed=epoch - 4, wanted=epoch - 6)
            assert isinstance(found, StoredBatch)
            print(node, epoch, found.signed.record.decode(), flush=True)  # as it is acknowledged
        epoch += 1
asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_death_at_any_moment_loses_no_batch_that_was_acknowledged_and_needed(tmp_path: Path) -> None:
    """One story of many lives; each begins with the epoch in which the one before was killed."""
    dice, path, epoch = random.Random(5), tmp_path / "s", 0
    acknowledged: dict[tuple[int, int], str] = {}
    for _ in range(12):
        command = [sys.executable, "-c", STORY, str(path), str(dice.randrange(5, 400)), str(epoch)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not told.stderr, told.stderr
        for line in told.stdout.splitlines():
            node, said, record = line.split(" ", 2)
            acknowledged[int(node), int(said)] = record
            epoch = int(said)
        asyncio.run(_look(path, epoch, acknowledged))
    assert epoch > 30, "the story is too short"


async def _look(path: Path, epoch: int, acknowledged: dict[tuple[int, int], str]) -> None:
    async with opened(path, 20) as store:
        for (node, one), record in acknowledged.items():
            there = await store.batch(bytes([node]) * 32, one)
            if one >= epoch - 4:
                assert there is not None, "an acknowledged batch that is needed is gone"
            if there is not None:
                assert there.decode() == record
                continue
            batch, signed = batch_of(node, one)
            again = await store.add(batch, signed, 9, needed=0, wanted=0)
            assert again is NotKept.FORGOTTEN, "what was forgotten is taken for new"
        assert sum([len(await store.of_epoch(one)) for one in range(epoch + 2)]) <= 21
