"""Manifests at a bootstrap server: who may bring what, what everybody reads, and what a restart keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bootstrap import manifest_store
from engine.bootstrap.manifest_store import ManifestStore, NotTaken
from engine.bootstrap.store import Store
from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.directory.manifests import MAX_LIFE_SECONDS, check_record, make_withdrawal
from engine.wire.codec import encode
from engine.wire.manifests import MAX_SHOWN, ManifestPage, manifest_page_decoder
from engine.wire.records import Parameters, Signed
from tests.support.bootstrap import fetch, post, running_mirror, running_server
from tests.support.manifests import LAB, OTHER, published, signed


def now() -> int:
    return int(SystemClock().wall())


def fresh(identity: Identity = LAB, **changes: object) -> Signed:
    return signed(identity, **{"created": now(), "expires": now() + 86_400} | changes)


async def page(address: str, after: int = 0) -> ManifestPage:
    status, body, _ = await fetch(address, f"/v1/manifests/from-{after}")
    assert status == 200
    return manifest_page_decoder.decode(body)


async def test_what_is_brought_is_shown_also_after_a_restart(tmp_path: Path) -> None:
    async with running_server(tmp_path / "server") as address:
        assert (await page(address)).records == ()
        first, second = fresh(), fresh(OTHER)
        for record in (first, second, first):
            assert (await post(address, "/v1/manifests", encode(record)))[0] == 200
        shown = await page(address)
        assert shown.records == (first, second)
        assert shown.upto == shown.newest
    async with running_server(tmp_path / "server") as address:
        newer = fresh(version=2)
        assert (await post(address, "/v1/manifests", encode(newer)))[0] == 200
        assert (await page(address)).records == (second, newer)
        assert (await page(address, shown.newest)).records == (newer,)
        status, reason = await post(address, "/v1/manifests", encode(fresh()))
        assert (status, b"older" in reason) == (422, True)
        gone = make_withdrawal(LAB, "A Small Lab", "our-model-1b", 3, now())
        assert (await post(address, "/v1/manifests", encode(gone)))[0] == 200
        assert (await page(address)).records == (second, gone)


@pytest.mark.parametrize("body", [b"", b"\x00" * 100, encode(signed(expires=1_800_000_001, created=1_800_000_000))])
async def test_what_is_refused(tmp_path: Path, body: bytes) -> None:
    async with running_server(tmp_path / "server") as address:
        status, reason = await post(address, "/v1/manifests", body)
        assert status == 422
        assert reason.strip()
        assert (await post(address, "/v1/manifests", b"x" * 300_000))[0] == 413
        for path in ("/v1/manifests", "/v1/manifests/from--1", "/v1/manifests/1"):
            assert (await fetch(address, path))[0] == 404


async def test_in_a_private_network_only_members_bring_and_read(tmp_path: Path) -> None:
    private = Parameters(snapshot_seconds=0.2, allow_loopback=True, invited_only=True)
    async with running_server(tmp_path / "server", parameters=private) as address:
        assert (await post(address, "/v1/manifests", encode(fresh())))[0] == 401
        assert (await fetch(address, "/v1/manifests/from-0"))[0] == 401


async def test_through_a_mirror(tmp_path: Path) -> None:
    async with running_server(tmp_path / "server") as address, running_mirror(tmp_path / "mirror", address) as mirror:
        record = fresh()
        for _ in range(100):
            if (await post(mirror, "/v1/manifests", encode(record)))[0] == 200:
                break
        assert (await page(mirror)).records == (record,)


async def test_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_store, "MAX_OF_PUBLISHER", 2)
    monkeypatch.setattr(manifest_store, "MAX_OF_SOURCE", 3)
    database = await Store.open(tmp_path / "test.sqlite3")
    try:
        store = ManifestStore(database, at_most=4)
        at = published().record.created + 60

        async def add(identity: Identity, name: str, source: bytes = b"here", **more: object) -> NotTaken | None:
            return await store.add(check_record(signed(identity, name=name, **more), at), source, at)

        assert await add(LAB, "one") is None
        assert await add(LAB, "two") is None
        assert await add(LAB, "three") is NotTaken.PUBLISHER
        assert await add(LAB, "two", version=2) is None  # what is here already may go on
        assert await add(OTHER, "one") is None
        assert await add(OTHER, "two") is NotTaken.SOURCE
        assert await add(OTHER, "two", source=b"there") is None
        third = Identity.from_seed(b"a third lab's key, thirty-two by")
        assert await add(third, "one", source=b"elsewhere") is NotTaken.FULL
        assert len((await store.page(0, at)).records) == 4
        over = at + MAX_LIFE_SECONDS
        assert (await store.page(0, over)).records == ()
        later = check_record(signed(third, created=over, expires=over + 10), over)
        assert await store.add(later, b"elsewhere", over) is NotTaken.FULL  # older versions could still be brought
        later = check_record(signed(third, created=over + 90_000, expires=over + 90_010), over + 90_000)
        assert await store.add(later, b"elsewhere", over + 90_000) is None
    finally:
        database.close()


async def test_pages(tmp_path: Path) -> None:
    database = await Store.open(tmp_path / "test.sqlite3")
    try:
        store = ManifestStore(database)
        at = published().record.created + 60
        for count in range(MAX_SHOWN + 5):
            identity = Identity.from_seed(count.to_bytes(32, "big"))
            assert await store.add(check_record(signed(identity), at), b"", at) is None
        first = await store.page(0, at)
        assert len(first.records) == MAX_SHOWN
        rest = await store.page(first.upto, at)
        assert len(rest.records) == 5
        assert rest.upto == rest.newest
        assert (await store.page(rest.upto, at)).records == ()
    finally:
        database.close()
