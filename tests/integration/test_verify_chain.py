"""``gentorrent verify-chain`` against a server and on files: what holds, what does not, and the exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.ids import node_id_text
from engine.verification.batches import make_batch
from engine.verification.chain.chain_file import MAGIC, Kind, part, parts
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord
from tests.integration.test_blocks import BAD, EPOCHS, GOOD, chain, network
from tests.support.bootstrap import post, publish
from tests.support.judging import Judging
from tests.support.network import gentorrent

pytestmark = pytest.mark.timeout(180)  # many starts of the program


async def verify(*arguments: str, code: int = 0) -> str:
    done = await asyncio.to_thread(gentorrent, "verify-chain", *arguments)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


async def verify_json(*arguments: str, code: int = 0) -> dict[str, Any]:
    return json.loads((await verify(*arguments, "--json", code=code)).splitlines()[0])


@pytest.fixture(scope="module")
def made() -> Judging:
    return network()


async def test_a_server_is_replayed_and_exported(tmp_path: Path, made: Judging) -> None:
    exported = tmp_path / "chain"
    async with chain(tmp_path / "s", made) as it:
        where = ("--bootstrap", it.address)
        assert "0 hold" in await verify(*where)
        for block in made.blocks:
            await it.bring_whole(block)
        batches = [make_batch(GOOD, made.network_id, 0, [bytes((number,)) * 32], 1, b"s" * 32) for number in (1, 2)]
        await publish(it.address, it.clock, made.network_id, GOOD)
        assert (await post(it.address, "/v1/contradictions", encode(Contradiction(*batches))))[0] == 200
        told = await verify_json(*where, "--export", str(exported))
        assert (told["holds"], told["height"], told["epoch"]) == (True, EPOCHS, EPOCHS - 1)
        assert (told["nodes"], told["blocks_without_evidence"]) == (2, 0)
        assert told["excluded"] == [node_id_text(BAD.node_id)]
        assert told["contradictions"] == [f"{node_id_text(GOOD.node_id)} signed two batches of receipts for epoch 0"]
        assert "exists already" in await verify(*where, "--export", str(exported), code=1)
        wrong = it.address.partition("#")[0] + "#" + "ab" * 32
        assert "not to abab" in await verify("--bootstrap", wrong, code=1)
        assert "whole address" in await verify("--bootstrap", it.address.partition("#")[0], code=2)
    again = await verify_json(str(exported), "--network", made.network_id.hex())
    assert {**again, "contradictions": told["contradictions"]} == told
    assert "The chain holds." in await verify(str(exported))
    assert "belongs to network" in await verify(str(exported), "--network", "ab" * 32, code=1)


def write(path: Path, made: Judging, *kept: bytes) -> str:
    from engine.directory.genesis import to_file

    path.write_bytes(MAGIC + part(Kind.GENESIS, to_file(made.genesis)) + b"".join(kept))
    return str(path)


async def test_files_that_do_not_hold_say_where(tmp_path: Path, made: Judging) -> None:
    blocks = [part(Kind.BLOCK, encode(block)) for block in made.blocks]
    evidence = [part(Kind.EVIDENCE, encode(record)) for record in made.records.values()]
    without = await verify_json(write(tmp_path / "without", made, *blocks))
    assert (without["holds"], without["blocks_without_evidence"]) == (True, EPOCHS - 1)
    altered = blocks[1][:-9] + b"x" + blocks[1][-8:]
    cases = {
        "a block is missing": ((blocks[0], *blocks[2:]), "Block 2 does not hold", 1),
        "a byte is another": ((blocks[0], *evidence, altered), "Block 2 does not hold", 1),
        "cut off": ((blocks[0], blocks[1][:-5]), "After block 1: The file is cut off", 1),
        "something else follows": ((blocks[0], b"xxxxxxxx"), "goes on with something", 1),
    }
    for name, (kept, words, height) in cases.items():
        path = write(tmp_path / name, made, *kept)
        told = await verify_json(path, code=1)
        assert (told["holds"], told["height"]) == (False, height), name
        assert words in told["problems"][0], name
    assert "does NOT hold" in await verify(path, code=1)
    (tmp_path / "nonsense").write_bytes(b"nonsense")
    assert "no exported chain" in await verify(str(tmp_path / "nonsense"), code=1)
    flood = write(tmp_path / "flood", made, *[part(Kind.EVIDENCE, encode(next(iter(made.records.values()))))] * 1_000)
    assert (await verify_json(flood, code=0))["holds"], "the same one again is one"
    several = [
        part(Kind.EVIDENCE, encode(SignedRecord(number.to_bytes(2, "big"), bytes(32), bytes(64))))
        for number in range(500)
    ]
    assert "than one block can name" in await verify(write(tmp_path / "flood", made, *several), code=1)
    (tmp_path / "older").write_bytes(b"gentorrent-chain-1\n" + bytes(100))
    assert "have it written again by this one" in await verify(str(tmp_path / "older"), code=1)
    assert "cannot be read" in await verify(str(tmp_path / "nothing"), code=1)
    assert "leave out --bootstrap" in await verify(path, "--bootstrap", "http://x", code=2)


def test_a_file_is_read_as_it_was_written() -> None:
    data = MAGIC + part(Kind.GENESIS, b"g") + part(Kind.EVIDENCE, b"") + part(Kind.BLOCK, b"block")
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        place += count
        return data[place - count : place]

    assert list(parts(read)) == [(Kind.GENESIS, b"g"), (Kind.EVIDENCE, b""), (Kind.BLOCK, b"block")]
