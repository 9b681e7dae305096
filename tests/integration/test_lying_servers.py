"""A reader and bootstrap servers that lie about the directory, on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from engine.clock import ManualClock
from engine.directory.delta import compress, make_step
from engine.directory.genesis import to_file
from engine.directory.heads import head_of
from engine.directory.snapshot import ChainPoint, sign_snapshot
from engine.errors import BootstrapUnreachableError, DirectoryError, WireError
from engine.transport.directory_keeper import DirectoryKeeper
from engine.wire.records import DirectoryDelta, SignedSnapshot
from tests.support.records import NOW, SERVER, genesis, identity
from tests.unit.directory.test_snapshot import chain, listing

GENESIS = genesis()
NETWORK = GENESIS.network_id
MADE = chain(6)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Liar:
    """A server that says what a test wants it to."""

    def __init__(self) -> None:
        self.answer: Answer | bytes = b""
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.query.get("since", ""))
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, content_type="application/octet-stream")
        return await self.answer(request)


@contextlib.asynccontextmanager
async def lying(data: Path) -> AsyncIterator[tuple[Liar, Reader]]:
    liar = Liar()
    application = web.Application()
    for path in ("/v1/directory", "/v1/genesis", "/v1/head"):
        application.router.add_get(path, liar.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    liar.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    folder = data / NETWORK.hex()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "genesis.json").write_bytes(to_file(GENESIS))
    async with aiohttp.ClientSession() as session:
        try:
            yield liar, Reader(liar.url, data, session)
        finally:
            await runner.cleanup()


class Reader:
    """A client's keeper of the directory."""

    def __init__(self, url: str, data: Path, session: aiohttp.ClientSession, now: float = NOW) -> None:
        self.notices: list[str] = []
        self._url, self._data, self._session = url, data, session
        self.keeper = DirectoryKeeper(url, NETWORK, data, ManualClock(now), self.notices.append)
        self.loaded = self.keeper.load()

    async def fetch(self) -> int | None:
        """The epoch of the directory if there is a new one."""
        directory = await self.keeper.fetch(self._session, self._url)
        return None if directory is None else directory.epoch

    def again(self, now: float = NOW) -> Reader:
        """The same reader after a restart."""
        return Reader(self._url, self._data, self._session, now)

    @property
    def held(self) -> int:
        head = self.keeper.head()
        return 0 if head is None else head.epoch


def whole(signed: SignedSnapshot) -> bytes:
    return compress(signed)


async def test_an_old_one_is_refused_also_after_a_restart(tmp_path):
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        assert await reader.fetch() == 5
        for one in (reader, reader.again()):
            liar.answer = whole(MADE[2])
            with pytest.raises(DirectoryError, match="went back from directory 5 to 3"):
                await one.fetch()
            assert one.held == 5
            liar.answer = whole(MADE[5])
            assert await one.fetch() in (6, None)
            liar.answer = whole(MADE[4])


@pytest.mark.parametrize("lie", ["truncated", "flipped", "forged", "bomb", "empty", "garbage"])
async def test_what_is_not_the_servers_is_refused_and_the_last_good_one_stays(tmp_path, lie):
    forged, _ = sign_snapshot(identity(1), NETWORK, ChainPoint(4, b"", 0), NOW, (listing(1),))
    flipped = msgspec.structs.replace(MADE[4], record=MADE[4].record[:-3] + b"\0" + MADE[4].record[-2:])
    lies = {
        "truncated": whole(MADE[4])[:-9],
        "flipped": whole(flipped),
        "forged": whole(forged),
        "bomb": zlib.compress(bytes(80 * 1024 * 1024)),
        "empty": b"",
        "garbage": b"<html>",
    }
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[3])
        assert await reader.fetch() == 4
        liar.answer = lies[lie]
        with pytest.raises((DirectoryError, WireError)):
            await reader.fetch()
        assert reader.held == reader.again().held == 4
        liar.answer = whole(MADE[4])
        assert await reader.fetch() == 5


async def test_a_change_that_does_not_fit_is_replaced_by_the_whole(tmp_path):
    step = make_step(MADE[4].record, MADE[5].record)
    wrong = DirectoryDelta(
        steps=(msgspec.structs.replace(step, fresh=bytes(len(step.fresh))),),
        key=MADE[5].key,
        signature=MADE[5].signature,
    )
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        await reader.fetch()

        async def answer(request: web.Request) -> web.StreamResponse:
            body = compress(wrong) if request.query.get("since") else whole(MADE[5])
            return web.Response(body=body, content_type="application/octet-stream")

        liar.answer = answer
        assert await reader.fetch() == 6
        assert liar.asked == ["", hashlib.sha256(MADE[4].record).hexdigest(), ""]


async def test_a_change_that_fits_is_taken(tmp_path):
    delta = DirectoryDelta(
        steps=(make_step(MADE[4].record, MADE[5].record),), key=MADE[5].key, signature=MADE[5].signature
    )
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        await reader.fetch()
        liar.answer = compress(delta)
        assert await reader.fetch() == 6
        assert liar.asked[1:] == [hashlib.sha256(MADE[4].record).hexdigest()]
        assert reader.again().held == 6


async def test_two_directories_for_two_audiences_are_noticed_and_the_proof_is_kept(tmp_path):
    other, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(4, hashlib.sha256(MADE[3].record).digest(), 0), NOW, ())
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        await reader.fetch()
        reader.keeper.hear(head_of(other, 5))  # as a neighbour of the other audience tells it
        assert ["two different directories of epoch 5" in text for text in reader.notices] == [True]
        proof = json.loads((tmp_path / NETWORK.hex() / "evidence" / "epoch-5.json").read_text())
        digests = {hashlib.sha256(one.record).hexdigest() for one in (MADE[4], other)}
        assert {one["sha256"] for one in proof["signed"]} == digests
        forged = head_of(msgspec.structs.replace(other, signature=bytes(64)), 5)
        reader.keeper.hear(forged)
        assert len(reader.notices) == 1


async def test_a_second_directory_of_the_epoch_from_the_server_itself_is_kept_as_proof(tmp_path):
    other, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(4, hashlib.sha256(MADE[3].record).digest(), 0), NOW, ())
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        await reader.fetch()
        liar.answer = whole(other)
        with pytest.raises(DirectoryError, match="two different"):
            await reader.fetch()
        assert (tmp_path / NETWORK.hex() / "evidence" / "epoch-5.json").exists()
        assert reader.held == 5


async def test_one_that_holds_news_back_is_noticed(tmp_path):
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[2])
        await reader.fetch()
        behind = [reader.keeper.is_behind]
        reader.keeper.hear(head_of(MADE[4], 5))
        behind.append(reader.keeper.is_behind)
        liar.answer = whole(MADE[4])
        await reader.fetch()
        assert [*behind, reader.keeper.is_behind] == [False, True, False]


async def test_one_from_the_future_is_refused(tmp_path):
    ahead, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW + 500, ())
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(ahead)
        with pytest.raises(DirectoryError, match="future"):
            await reader.fetch()


async def test_endless_slow_and_strange_answers_end(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.transport.directory_keeper.MAXIMUM_DIRECTORY", 1_000_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(bytes(65_536))
        return response

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.02)
        return response

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:9/v1/directory")

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>Please log in</html>", content_type="text/html")

    async with lying(tmp_path) as (liar, reader):
        liar.answer = endless
        with pytest.raises(WireError, match="longer than"):
            await reader.fetch()
        liar.answer = elsewhere
        with pytest.raises(BootstrapUnreachableError, match="302"):
            await reader.fetch()
        liar.answer = page
        with pytest.raises(BootstrapUnreachableError, match="login page"):
            await reader.fetch()
        monkeypatch.setattr("engine.transport.bootstrap_http.REQUEST_SECONDS", 0.3)
        liar.answer = slow
        with pytest.raises(TimeoutError):
            await reader.fetch()
        liar.answer = whole(MADE[0])
        assert await reader.fetch() == 1


async def test_an_answer_that_grows_on_the_way_is_cut_off(tmp_path, monkeypatch):
    """HTTP has a compression of its own, too: here 100 MB of zeros."""
    monkeypatch.setattr("engine.transport.directory_keeper.MAXIMUM_DIRECTORY", 1_000_000)
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(100)), packer.flush()])

    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
        return web.Response(body=bomb, headers=headers)

    async with lying(tmp_path) as (liar, reader):
        liar.answer = answer
        tracemalloc.start()
        try:
            with pytest.raises(WireError, match="longer than"):
                await reader.fetch()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 20_000_000


async def test_a_genesis_that_is_none_is_refused_and_nothing_is_pinned(tmp_path):
    bodies = [b"[" * 60_000, b'{"format":' * 5_000, b"9" * 60_000, b"\xff" * 100, b"", bytes(65_537), b"{}", b"null"]
    async with lying(tmp_path / "other") as (liar, _), aiohttp.ClientSession() as session:
        for body in bodies:
            liar.answer = body
            keeper = DirectoryKeeper(liar.url, None, tmp_path, ManualClock(NOW), lambda _: None)
            with pytest.raises((DirectoryError, WireError)):
                await keeper.ensure_genesis(session, liar.url)
            assert keeper.genesis is None
        with pytest.raises(WireError):
            liar.answer = bytes(1025)
            await keeper.compare(session, liar.url)
    assert not (tmp_path / "pins").exists()


async def test_a_torn_file_costs_a_fetch_and_nothing_else(tmp_path):
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(MADE[4])
        await reader.fetch()
        again = reader.again()
        assert again.loaded is not None
        assert (again.loaded.epoch, len(again.loaded)) == (5, 4)
        kept = tmp_path / NETWORK.hex() / "directory"
        kept.write_bytes(kept.read_bytes()[:-20])
        torn = reader.again()
        assert (torn.loaded, torn.held) == (None, 0)
        assert await torn.fetch() == 5


async def test_a_full_disk_is_told_and_the_directory_used(tmp_path, monkeypatch):
    from engine.errors import StorageError

    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    async with lying(tmp_path) as (liar, reader):
        monkeypatch.setattr("engine.transport.directory_keeper.write_atomically", full)
        liar.answer = whole(MADE[4])
        assert await reader.fetch() == 5
        assert "could not be kept" in reader.notices[0]


async def test_a_note_of_another_directory_does_not_spare_the_checks(tmp_path):
    bad = msgspec.structs.replace(listing(1).descriptor, signature=bytes(64))
    signed, _ = sign_snapshot(SERVER, NETWORK, ChainPoint(), NOW, (listing(0), listing(1, descriptor=bad)))
    async with lying(tmp_path) as (liar, reader):
        liar.answer = whole(signed)
        await reader.fetch()
        again = reader.again()
        assert again.loaded is not None
        assert [node.node_id for node in again.loaded.nodes()] == [identity(0).node_id]
        (tmp_path / NETWORK.hex() / "directory-checked.json").write_text('{"digest": "00"}')
        unsure = reader.again()
        assert unsure.loaded is not None
        assert [node.node_id for node in unsure.loaded.nodes()] == [identity(0).node_id]
