"""Batches of receipts on their way to a server that is away, slow, lying, or gone at the worst moment."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from engine.clock import ManualClock, SystemClock
from engine.directory.genesis import GenesisRecord
from engine.node import submission as module
from engine.node.submission import Submission
from engine.storage.receipt_store import ReceiptStore
from engine.transport.bootstrap_client import parse_bootstrap
from engine.verification.batches import check_batch, confirm
from engine.verification.receipts import make_receipt, sign_receipt
from engine.wire.blocks import chain_records_decoder
from engine.wire.codec import encode
from engine.wire.receipts import OpeningWanted
from engine.wire.records import Parameters
from engine.wire.signed import signed_record_decoder
from tests.integration.test_chain import COMMITTEE, PARAMETERS
from tests.support.bootstrap import fetch, network_of, publish, running_server, until
from tests.support.receipts import NODE, OTHER_NODE, make_request, served

EPOCH = PARAMETERS.epoch_seconds


def answer(submission: Submission, genesis: GenesisRecord, number: int, wall: float, *, final: bool = True) -> bytes:
    """An answer is signed, and its receipt kept; the receipt's bytes."""
    work = served(request=make_request(request_id=number.to_bytes(16, "big")), issued=int(wall), final=final)
    record, signature = sign_receipt(NODE, make_receipt(NODE, genesis.network_id, work))
    submission.keep(record, signature)
    return record


@asynccontextmanager
async def submitting(folder: Path, genesis: GenesisRecord, clock: ManualClock, url: str) -> AsyncIterator[Submission]:
    store = ReceiptStore(folder / "receipts.sqlite3")
    submission = Submission(NODE, genesis, store, clock, lambda: url, os.urandom)
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(submission.run())
            yield submission
            task.cancel()
    finally:
        submission.close()


async def counted(address: str, network: bytes, epochs: range) -> dict[int, int]:
    """How many receipts the server has of each epoch."""
    found: dict[int, int] = {}
    for epoch in epochs:
        _, body, _ = await fetch(address, f"/v1/receipts/{epoch}")
        for one in chain_records_decoder.decode(body).records:
            found[epoch] = check_batch(signed_record_decoder.decode(one), network).receipts
    return found


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)


async def test_a_server_that_is_away_for_epochs_gets_everything_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_server(tmp_path / "s", clock=clock, parameters=PARAMETERS, committee=COMMITTEE) as address:
        genesis = network_of(tmp_path / "s").genesis
        await publish(address, clock, genesis.network_id, NODE)
    url, port = parse_bootstrap(address).url, int(address.partition("#")[0].rpartition(":")[2])
    for epoch in range(3):  # each in a run of its own
        async with submitting(tmp_path / "n", genesis, clock, url) as submission:
            for number in range(2):
                answer(submission, genesis, 10 * epoch + number, clock.wall())
            answer(submission, genesis, 10 * epoch, clock.wall())
            if epoch:
                await until(lambda: "does not take" in submission.problem)
                assert submission.waiting == epoch
        clock.advance(EPOCH)
    async with (
        running_server(tmp_path / "s", port=port, clock=clock) as address,
        submitting(tmp_path / "n", genesis, clock, url) as submission,
    ):
        await until(lambda: submission.confirmed == 3)
        assert (submission.waiting, submission.problem) == (0, "")
        assert await counted(address, genesis.network_id, range(5)) == {0: 2, 1: 2, 2: 2}


async def test_an_answer_over_the_end_of_an_epoch_counts_in_the_next(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_server(tmp_path / "s", clock=clock, parameters=PARAMETERS, committee=COMMITTEE) as address:
        genesis = network_of(tmp_path / "s").genesis
        await publish(address, clock, genesis.network_id, NODE)
        async with submitting(tmp_path / "n", genesis, clock, parse_bootstrap(address).url) as submission:
            answer(submission, genesis, 1, clock.wall())
            running = answer(submission, genesis, 2, clock.wall(), final=False)
            name = submission._store.receipts(0)[1].answer
            submission.running = lambda: [name]
            assert running in [one.record for one in submission._store.receipts(0)]
            clock.advance(EPOCH)
            await until(lambda: submission.confirmed == 1)
            record = answer(submission, genesis, 2, clock.wall())
            submission.running = list
            clock.advance(EPOCH)
            await until(lambda: submission.confirmed == 2)
            assert await counted(address, genesis.network_id, range(3)) == {0: 1, 1: 1}
            wanted = OpeningWanted(epoch=1, receipt=_digest(record))
            opening = submission.open(wanted)
            assert opening is not None
            assert opening.receipt == record
            assert submission.open(OpeningWanted(epoch=1, receipt=bytes(32))) is None
            assert submission.open(OpeningWanted(epoch=7, receipt=_digest(record))) is None


async def test_a_clock_that_jumps_ahead_hides_no_receipt(tmp_path: Path) -> None:
    """Before, it had the batches of all epochs up to its own signed, and what came later could be shown in none."""
    clock, told = ManualClock(), ManualClock()
    async with running_server(tmp_path / "s", clock=told, parameters=PARAMETERS, committee=COMMITTEE) as address:
        genesis = network_of(tmp_path / "s").genesis
        await publish(address, told, genesis.network_id, NODE)
        async with submitting(tmp_path / "n", genesis, clock, parse_bootstrap(address).url) as submission:
            submission.server_time = told.wall
            first = answer(submission, genesis, 1, told.wall())
            clock.advance(1_000 * EPOCH)
            answer(submission, genesis, 2, clock.wall())
            await asyncio.sleep(0.2)
            assert submission._store.counts() == (0, 0), "nothing is over by the server's time"
            second = answer(submission, genesis, 3, told.wall())  # by a clock that was set right
            told.advance(EPOCH)
            await until(lambda: submission.confirmed == 1)
            for record in (first, second):
                opening = submission.open(OpeningWanted(epoch=0, receipt=_digest(record)))
                assert opening is not None
                assert opening.receipt == record
            assert await counted(address, genesis.network_id, range(3)) == {0: 2}


def _digest(record: bytes) -> bytes:
    return hashlib.sha256(record).digest()


async def test_a_word_that_does_not_hold_and_a_refusal(tmp_path: Path) -> None:
    """Whoever answers in the server's place confirms nothing; what the server refuses for good is told and kept."""
    clock = ManualClock()
    async with running_server(tmp_path / "s", clock=clock, parameters=PARAMETERS, committee=COMMITTEE):
        genesis = network_of(tmp_path / "s").genesis
    status, asked = 200, 0

    async def lie(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        signed = signed_record_decoder.decode(await request.read())
        word = confirm(OTHER_NODE, check_batch(signed, genesis.network_id), bytes(32), 1)
        return web.Response(status=status, body=encode(word) if status == 200 else b"Too old, for good.\n")

    application = web.Application()
    application.router.add_post("/v1/receipts", lie)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with submitting(tmp_path / "n", genesis, clock, url) as submission:
            told: list[str] = []
            submission.notice = told.append
            answer(submission, genesis, 1, clock.wall())
            clock.advance(EPOCH)
            await until(lambda: "confirmation does not hold" in submission.problem)
            assert (submission.waiting, submission.confirmed) == (1, 0)
            status = 422
            clock.advance(60)
            submission.look_again()
            await until(lambda: submission.waiting == 0)
            assert told == ["The server refuses this node's receipts of epoch 0 for good: Too old, for good."]
            assert submission.confirmed == 0
    finally:
        await runner.cleanup()
    assert asked >= 2


DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from engine.clock import SystemClock
from engine.directory.genesis import from_file
from engine.node import submission as module
from engine.storage.receipt_store import ReceiptStore
from tests.integration.test_submission import answer
from tests.support.receipts import NODE

folder, url, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
genesis = from_file((folder / "s" / "genesis.json").read_bytes())
send = module.send_record

async def dying(*arguments):
    if when == "before it is brought":
        os.kill(os.getpid(), signal.SIGKILL)
    word = await send(*arguments)
    if when == "before the answer is kept":
        os.kill(os.getpid(), signal.SIGKILL)
    return word

async def main():
    clock = SystemClock()
    submission = module.Submission(
        NODE, genesis, ReceiptStore(folder / "receipts"), clock, lambda: url, os.urandom
    )
    if when == "at once":
        for number in range(3):
            answer(submission, genesis, number, clock.wall())
        os.kill(os.getpid(), signal.SIGKILL)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(submission.run())
        while not submission.confirmed:
            await asyncio.sleep(0.01)
        running.cancel()
    print(submission.confirmed, submission.waiting)

module.send_record = dying
module.LOOK_SECONDS = 0.02
asyncio.run(main())
"""


@pytest.mark.timeout(180)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
async def test_death_on_the_way_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    clock = SystemClock()
    parameters = Parameters(snapshot_seconds=0.2, allow_loopback=True, epoch_seconds=2)
    async with running_server(tmp_path / "s", parameters=parameters, committee=COMMITTEE) as address:
        genesis = network_of(tmp_path / "s").genesis
        await publish(address, clock, genesis.network_id, NODE)
        url = parse_bootstrap(address).url
        deaths = ("at once", "before it is brought", "before the answer is kept")
        seen: set[bytes] = set()
        for when in (*deaths, "never"):
            command = [sys.executable, "-c", DYING, str(tmp_path), url, when]
            done = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=180, cwd=Path(__file__).parents[2]
            )
            if when in deaths:
                assert done.returncode == -signal.SIGKILL, done.stderr
            else:
                assert done.stdout.split()[-1:] == ["0"], done.stderr
            for epoch in range(int((clock.wall() - genesis.genesis.created) / 2) + 1):
                _, body, _ = await fetch(address, f"/v1/receipts/{epoch}")
                seen.update(chain_records_decoder.decode(body).records)
        counts = [check_batch(signed_record_decoder.decode(one), genesis.network_id).receipts for one in seen]
        assert counts in ([4], [1, 2], [2, 1], [1, 1, 1])  # an epoch may have ended between two of them
        _, body, _ = await fetch(address, "/v1/contradictions")
        assert chain_records_decoder.decode(body).records == ()
        assert {signed_record_decoder.decode(one).key for one in seen} == {NODE.public_key}
