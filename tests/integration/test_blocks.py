"""The committee's blocks at the server: appended in their order when everything in them holds, and never lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock, patch

import aiohttp
import msgspec
import pytest
from sqlalchemy import Connection, update

from engine.bootstrap.chain import blocks
from engine.bootstrap.chain.blocks import Blocks
from engine.bootstrap.chain.store import ChainStore, StoredBlock
from engine.bootstrap.init import GENESIS_FILE, KEY_FILE
from engine.bootstrap.store import Store
from engine.bootstrap.tables import BlockRow
from engine.clock import ManualClock
from engine.crypto.identity import Identity
from engine.directory.genesis import to_file
from engine.errors import StorageError, VerificationError
from engine.node.committee_presence import CommitteePresence
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import make_checkpoint
from engine.verification.chain.replay import records_named
from engine.verification.chain.results import Material
from engine.verification.chain.standings import check_standings
from engine.verification.chain.state import ChainState
from engine.wire.blocks import CertifiedBlock, block_decoder, chain_records_decoder, signed_standings_decoder
from engine.wire.codec import encode
from tests.support.bootstrap import fetch, post, running_client, running_server, until
from tests.support.judging import Judging, judging
from tests.support.records import NOW, SERVER, identity

GOOD, BAD = identity(50), identity(51)
EPOCHS = 4


def network(epochs: int = EPOCHS) -> Judging:
    """Four members judge two nodes, one of which cheats; the blocks are not at the server yet."""
    made = judging(epoch_seconds=600.0)
    made.append(0, made_material(made))
    for epoch in range(1, epochs):
        made.judge_epoch(epoch, [GOOD, BAD], {BAD.node_id: 5_000})
    return made


def made_material(made: Judging):
    return Material(commitments=made.commit_all(1, [GOOD, BAD]))


def found(made: Judging, data: Path) -> None:
    """A server's folder of this network."""
    data.mkdir(exist_ok=True)
    (data / GENESIS_FILE).write_bytes(to_file(made.genesis))
    (data / KEY_FILE).write_text(SERVER.seed.hex())


@dataclass
class Chain:
    address: str
    made: Judging
    clock: ManualClock

    async def bring(self, block: CertifiedBlock) -> tuple[int, bytes]:
        return await post(self.address, "/v1/chain", encode(block))

    async def bring_whole(self, block: CertifiedBlock) -> None:
        """As members do: the block, then the evidence that it names, where the server lacks some."""
        status, reason = await self.bring(block)
        if status == 503:
            assert b"Bring it first" in reason
            for digest in records_named(block_decoder.decode(block.block)):
                assert (await post(self.address, "/v1/evidence", encode(self.made.records[digest])))[0] == 200
            status, reason = await self.bring(block)
        assert status == 200, reason

    async def bring_evidence(self) -> list[int]:
        return [(await post(self.address, "/v1/evidence", encode(one)))[0] for one in self.made.records.values()]

    async def head(self) -> dict[str, object]:
        return json.loads((await fetch(self.address, "/v1/chain"))[1])

    async def blocks(self) -> list[bytes]:
        _, body, _ = await fetch(self.address, "/v1/chain/from-1")
        return list(chain_records_decoder.decode(body).records)


@contextlib.asynccontextmanager
async def chain(data: Path, made: Judging) -> AsyncIterator[Chain]:
    clock = ManualClock(NOW + 600 * EPOCHS - 1)
    found(made, data)
    async with running_server(data, clock=clock) as address:
        yield Chain(address, made, clock)


async def test_blocks_are_appended_in_order_and_read_back(tmp_path: Path) -> None:
    made = network()
    async with chain(tmp_path, made) as it:
        assert await it.head() == {"height": 0, "epoch": -1, "digest": "00" * 32}
        assert (await fetch(it.address, "/v1/standings"))[0] == 404
        status, reason = await it.bring(made.blocks[1])
        assert (status, b"blocks behind it first" in reason) == (503, True)
        assert (await it.bring(made.blocks[0]))[0] == 200
        status, reason = await it.bring(made.blocks[1])
        assert (status, b"Bring it first" in reason) == (503, True)
        assert set(await it.bring_evidence()) == {200, 503}, "only what this block names"
        for block in made.blocks[1:]:
            await it.bring_whole(block)
        assert set(await it.bring_evidence()) == {200}
        for block in made.blocks:
            assert (await it.bring(block))[0] == 200
        head = await it.head()
        assert head == {"height": EPOCHS, "epoch": EPOCHS - 1, "digest": made.state.previous.hex()}
        assert await it.blocks() == [encode(block) for block in made.blocks]
        assert (await fetch(it.address, "/v1/chain/2"))[1] == encode(made.blocks[1])
        assert (await fetch(it.address, f"/v1/chain/{EPOCHS + 1}"))[0] == 404
        digest, record = next(iter(made.records.items()))
        assert (await fetch(it.address, f"/v1/evidence/{digest.hex()}"))[1] == encode(record)
        _, body, _ = await fetch(it.address, "/v1/standings")
        standings = check_standings(signed_standings_decoder.decode(body), made.genesis)
        assert standings.nodes == made.state.standings
        assert standings.nodes[BAD.node_id].reputation < standings.nodes[GOOD.node_id].reputation
    async with chain(tmp_path, made) as again:
        await _read(again, EPOCHS)
        assert (await fetch(again.address, "/v1/standings"))[1] == body


async def _read(it: Chain, height: int) -> None:
    """A server that has just started reads its chain first."""
    while (await it.head())["height"] != height:
        pass


async def test_a_new_block_is_named_by_the_next_snapshot(tmp_path: Path) -> None:
    made = network(1)
    async with (
        chain(tmp_path, made) as it,
        running_client(it.address, identity(60), tmp_path / "c", clock=it.clock) as client,
    ):
        await until(lambda: client.directory is not None)
        assert client.directory.chain_height == 0
        assert (await it.bring(made.blocks[0]))[0] == 200
        await until(lambda: client.directory.chain_height == 1)
    async with (
        chain(tmp_path, made) as it,
        running_client(it.address, identity(60), tmp_path / "c2", clock=it.clock) as client,
    ):
        await until(lambda: client.directory is not None)
        assert client.directory.chain_height == 1


async def test_what_does_not_hold_is_refused(tmp_path: Path) -> None:
    made, other = network(1), network(1)
    change = msgspec.structs.replace
    (block,) = made.blocks
    certificate = block.certificate
    stranger = judging(first=2_000)
    foreign = stranger.append(0, made_material(stranger))
    longer = judging(epoch_seconds=600.0)
    second = longer.append(1, made_material(longer))  # another first block of the same committee
    future = judging(epoch_seconds=600.0)
    later = future.append(100, made_material(future))
    async with chain(tmp_path, made) as it:
        for wrong in (
            change(block, block=block.block[:-1]),
            change(block, block=block.block + b"x"),
            change(block, certificate=change(certificate, signatures=certificate.signatures[:2])),
            change(block, certificate=change(certificate, digest=bytes(32))),
            foreign,
        ):
            status, reason = await it.bring(wrong)
            assert (status, bool(reason)) == (422, True), reason
        for nonsense in (b"", b"\x92\xcc\x86\xc4", encode(certificate)):
            assert (await post(it.address, "/v1/chain", nonsense))[0] == 422
        assert (await it.bring(later))[0] == 503
        assert await it.blocks() == []
        assert (await it.bring(block))[0] == 200
        status, reason = await it.bring(second)
        assert (status, b"Another block" in reason) == (422, True)
        assert await it.blocks() == [encode(other.blocks[0])]


async def test_evidence_is_taken_where_a_certified_block_names_it(tmp_path: Path) -> None:
    """Before, a member could bring 512 records of 60,000 bytes for each epoch, 60 GB in two weeks."""
    made = network(2)
    record = next(iter(made.records.values()))
    stranger = Identity.from_seed(b"\x77" * 32)
    async with chain(tmp_path, made) as it:
        status, reason = await post(it.address, "/v1/evidence", encode(record))
        assert (status, b"bring its block first" in reason) == (503, True)
        assert (await it.bring(made.blocks[0]))[0] == 200
        assert (await it.bring(made.blocks[1]))[0] == 503
        change = msgspec.structs.replace
        for wrong in (
            change(record, signature=bytes(64)),
            change(record, record=record.record[:-1]),
            change(record, key=stranger.public_key),
            made.commit(1, made.members[0], [GOOD.node_id]),
        ):
            assert (await post(it.address, "/v1/evidence", encode(wrong)))[0] == 422
        made.records.clear()
        author, judged = made.members[0], GOOD
        made.commit(1, author, [judged.node_id])
        invented = [made.evidence(1, author, judged.node_id, judged, output=(number,) * 40) for number in range(20)]
        for one in invented:
            assert (await post(it.address, "/v1/evidence", encode(one)))[0] == 503
        assert (await post(it.address, "/v1/evidence", encode(record)))[0] == 200
        assert (await post(it.address, "/v1/evidence", encode(record)))[0] == 200


async def test_after_a_long_outage_the_chain_goes_on(tmp_path: Path) -> None:
    """However old the evidence is."""
    made = network()
    async with chain(tmp_path, made) as it:
        it.clock.advance(600 * 50)
        for block in made.blocks:
            await it.bring_whole(block)
        assert (await it.head())["height"] == EPOCHS


async def test_the_oldest_evidence_makes_room_for_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    sizes = [
        sum(len(encode(made.records[digest])) for digest in records_named(block_decoder.decode(block.block)))
        for block in made.blocks
    ]
    monkeypatch.setattr(blocks, "EVIDENCE_BYTES", sizes[-2] + sizes[-1] + 1)
    async with chain(tmp_path, made) as it:
        for block in made.blocks:
            await it.bring_whole(block)
        for height, block in enumerate(made.blocks, 1):
            for digest in records_named(block_decoder.decode(block.block)):
                status, _, _ = await fetch(it.address, f"/v1/evidence/{digest.hex()}")
                assert status == (200 if height > EPOCHS - 2 else 404)


async def test_a_member_brings_what_the_server_has_missed_in_a_long_outage(tmp_path: Path) -> None:
    made = network()
    async with chain(tmp_path / "server", made) as it:
        it.clock.advance(600 * 50)
        url = it.address.partition("#")[0]

        async def read(path: str, limit: int) -> bytes:
            return (await fetch(it.address, path))[1]

        member = CommitteePresence(
            made.members[0],
            made.genesis,
            tmp_path / "member",
            lambda *_: cast(Any, Mock()),
            it.clock,
            lambda: url,
            read,
        )
        for height, block in enumerate(made.blocks, 1):
            named = records_named(block_decoder.decode(block.block))
            member._store.append(height, block, [made.records[digest] for digest in named])
        await member.role.load()
        await member._bring()
        assert (await it.head())["height"] == EPOCHS


DYING = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from engine.bootstrap.run import run_server, serve
from engine.clock import ManualClock
from tests.support.records import NOW

left = int(sys.argv[2])

def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "before_cursor_execute", count)
event.listen(Engine, "after_cursor_execute", count)
event.listen(Engine, "commit", count)
serve(lambda: run_server(Path(sys.argv[1]), port=0, clock=ManualClock(NOW + 2400 - 1),
                         started=lambda text: print(text, flush=True)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.timeout(180)
async def test_a_server_that_is_killed_at_any_moment_keeps_what_it_has_confirmed(tmp_path: Path) -> None:
    """The same folder all the time: after each death the chain must hold, and go on."""
    made = network(2)
    found(made, tmp_path)
    brought = [("/v1/chain", made.blocks[0]), *(("/v1/evidence", one) for one in made.records.values())]
    naming = encode(made.blocks[1])
    brought.append(("/v1/chain", made.blocks[1]))
    confirmed: set[bytes] = set()
    deaths = 0
    for step in (0, 20, 33, 42, 47, 52, 55, 400):
        command = [sys.executable, "-c", DYING, str(tmp_path), str(step)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with contextlib.suppress(OSError, TimeoutError, aiohttp.ClientError):
            for path, record in brought if address else ():
                status = 503
                while status == 503:
                    if path == "/v1/evidence":
                        await post(address, "/v1/chain", naming)
                    status, reason = await post(address, path, encode(record))
                assert status == 200, reason
                confirmed.add(encode(record))
        if server.poll() is None and step == 400:
            os.kill(server.pid, signal.SIGTERM)
        deaths += server.wait(120) == -signal.SIGKILL
        server.stdout.close()
    assert deaths > 4
    assert confirmed == {encode(record) for _, record in brought}
    async with chain(tmp_path, made) as it:
        await _read(it, 2)
        assert await it.blocks() == [encode(block) for block in made.blocks]


async def test_for_a_block_that_nobody_has_certified_nothing_is_looked_up(tmp_path: Path) -> None:
    """One can name 320 records, each of which takes a look at the disk."""
    made = network()
    store = await Store.open(tmp_path / "bootstrap.sqlite3")
    kept = ChainStore(store)
    here = Blocks(made.genesis, kept, ManualClock(made.begins(9)), lambda _: None)
    await here.replay()
    assert (await here.take(encode(made.blocks[0]))).status == 200
    certificate = made.blocks[1].certificate
    forged = msgspec.structs.replace(
        made.blocks[1], certificate=msgspec.structs.replace(certificate, signatures=certificate.signatures[:1])
    )
    with patch.object(kept, "evidence") as looked, pytest.raises(VerificationError, match="no quorum"):
        await here.take(encode(forged))
    looked.assert_not_called()
    assert (await here.take(encode(made.blocks[1]))).status == 503
    store.close()


async def test_a_start_begins_at_the_checkpoint_and_with_a_damaged_one_at_the_genesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = judging(4)
    for epoch in range(5):
        network.append(epoch, Material())
    store = await Store.open(tmp_path / "bootstrap.sqlite3")
    kept = ChainStore(store)
    for height, certified in enumerate(network.blocks, 1):
        digest = hashlib.sha256(certified.block).digest()
        await kept.append(StoredBlock(height, height - 1, digest, encode(certified)), 0, 1_000_000)
    checked: list[int] = []

    def count(before: ChainState, block: CertifiedBlock) -> ChainState:
        checked.append(before.height + 1)
        return check_certified(before, block)

    monkeypatch.setattr(blocks, "check_certified", count)
    monkeypatch.setattr(blocks, "EVERY", 3)
    whole = make_checkpoint(network.state)

    async def replayed() -> list[int]:
        checked.clear()
        here = Blocks(network.genesis, kept, ManualClock(network.begins(9)), lambda _: None)
        await here.replay()
        assert here.state == network.state
        return checked

    assert await replayed() == [1, 2, 3, 4, 5]
    assert await kept.checkpoint() == whole
    assert await replayed() == []
    await kept.keep_checkpoint(5, whole[:-1])
    assert await replayed() == [1, 2, 3, 4, 5], "a damaged one is left aside"
    assert await kept.checkpoint() == whole, "and a good one takes its place"
    await kept.keep_checkpoint(5, b"gentorrent-checkpoint-2" + whole[23:])
    assert await replayed() == [1, 2, 3, 4, 5], "so is one of another version"
    older = msgspec.structs.replace(block_decoder.decode(network.blocks[4].block), version=1)
    last = encode(network.certify(encode(older)))
    for stored, reason in ((last, "of an older version"), (b"x", "not a message of this protocol")):
        await store.transact(partial(_replace_fifth, stored))
        await kept.keep_checkpoint(4, b"")
        with pytest.raises(StorageError, match=f"{reason}.*Go on with that version, or restore"):
            await Blocks(network.genesis, kept, ManualClock(network.begins(9)), lambda _: None).replay()
    store.close()


def _replace_fifth(certified: bytes, connection: Connection) -> None:
    connection.execute(update(BlockRow).where(BlockRow.height == 5).values(certified=certified))
