"""From the committee's block to whom a client asks: over a real server, into the engine's own presence."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from engine.bootstrap.chain import blocks
from engine.clock import ManualClock
from engine.directory.directory import Directory
from engine.errors import VerificationError
from engine.node import standings
from engine.node.client_presence import ClientPresence
from engine.node.keys import NodeKeys
from engine.node.own_results import OwnResults
from engine.node.presence import Membership
from engine.storage.key_store import KeyStore
from engine.transport import chain_http
from engine.transport.bootstrap_client import parse_bootstrap
from engine.transport.connectivity import Connectivity
from engine.verification.chain import standings as chain_standings
from engine.verification.chain.own_results import Results
from engine.verification.chain.standings import CheckedStandings
from engine.wire.blocks import ChainRecords
from engine.wire.codec import encode
from tests.integration.test_blocks import BAD, EPOCHS, GOOD, chain, network
from tests.support.bootstrap import fetch, until
from tests.support.judging import Judging
from tests.unit.verification.chain.test_standings import changed


async def test_what_the_committee_certified_decides_whom_an_engine_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "MOST_SPREAD_SECONDS", 0.05)
    made = network()
    async with chain(tmp_path / "server", made) as it:
        presence = _presence(tmp_path / "engine", it.address, it.clock)
        async with _running(presence):
            await until(lambda: presence.client is not None and presence.standings is not None)
            assert presence.standings is not None
            assert presence.standings.book.committee
            assert presence.standings.book.height == 0
            for block in made.blocks:
                await it.bring_whole(block)
            await until(lambda: presence.standings is not None and presence.standings.book.height == EPOCHS)
            book = presence.standings.book
            assert (book.of(GOOD.node_id).established, book.of(BAD.node_id).excluded) == (True, True)
            client = presence.client
            assert client is not None
            # A book with the same standings takes its place when the server's list of contradictions has been read.
            await until(lambda: client._book.height == EPOCHS and client._book.of(BAD.node_id).excluded)
            kept = tmp_path / "engine" / made.genesis.network_id.hex() / "standings-client"
            newest = encode(made.signed_standings())
            await until(lambda: kept.exists() and kept.read_bytes() == newest)
    # The server is gone; the engine begins anew and still knows.
    again = _presence(tmp_path / "engine", it.address, it.clock)
    async with _running(again):
        await until(lambda: again.standings is not None and again.standings.book.height == EPOCHS)
        assert again.standings is not None
        assert again.standings.book.of(BAD.node_id).excluded


async def test_who_has_only_the_genesis_reads_the_changes_of_the_committee_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = changed(11)
    monkeypatch.setattr(standings, "MOST_SPREAD_SECONDS", 0.05)
    for module in (blocks, chain_http, chain_standings):
        monkeypatch.setattr(module, "MAX_CHANGES_SHOWN", 4)
    async with chain(tmp_path / "server", made) as it:
        it.clock.advance(600 * 20)
        for block in made.blocks:
            await it.bring_whole(block)
        asked: list[str] = []

        async def read(path: str, _limit: int) -> bytes:
            asked.append(path)
            return (await fetch(it.address, path))[1]

        _, found = await chain_http.followed_standings(read, made.genesis)
        assert (found.height, found.since, found.members) == (12, 11, made.state.members)
        assert asked == ["/v1/standings", "/v1/committees/0", "/v1/committees/4"]
        asked.clear()
        data, again = await chain_http.followed_standings(read, made.genesis, found)
        assert (again, asked) == (found, ["/v1/standings"])

        async def silent(path: str, _limit: int) -> bytes:
            return data if path == "/v1/standings" else encode(ChainRecords(records=()))

        with pytest.raises(VerificationError, match="does not show which committees"):
            await chain_http.followed_standings(silent, made.genesis)
        kept = tmp_path / "standings"
        assert await _followed(made, read, kept) == found
    # The server is gone; a reader begins anew and still knows who may certify standings.
    assert await _followed(made, silent, kept) == found


async def test_a_node_reads_from_the_server_how_its_own_answers_fared(tmp_path: Path) -> None:
    made = network()
    async with chain(tmp_path / "server", made) as it:
        for block in made.blocks:
            await it.bring_whole(block)

        async def read(path: str, _limit: int) -> bytes:
            return (await fetch(it.address, path))[1]

        _, found = await chain_http.followed_standings(read, made.genesis)
        for name, node in (("good", GOOD), ("bad", BAD)):
            own = OwnResults(node.node_id, made.genesis, read, tmp_path / name, os.urandom)
            own.look(found)
            results = await _read(own)
            assert results.answers == found.nodes[node.node_id].judged > 0
            assert (results.failed == 0) == (node is GOOD)


async def _read(own: OwnResults) -> Results:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(own.run())
        await until(lambda: own.results)
        running.cancel()
    assert own.results is not None
    return own.results


async def _followed(made: Judging, read: chain_http.Read, kept: Path) -> CheckedStandings | None:
    """What a reader believes after it has followed to the newest block."""
    follower = standings.StandingsFollower(made.genesis, read, kept, os.urandom)
    follower.look(cast(Directory, SimpleNamespace(chain_height=made.state.height)))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        await until(
            lambda: follower.book.height == made.state.height and kept.with_name("standings.committee").exists()
        )
        running.cancel()
    return follower.checked


@contextlib.asynccontextmanager
async def _running(presence: ClientPresence) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(presence.run())
        yield
        running.cancel()


def _presence(data: Path, address: str, clock: ManualClock) -> ClientPresence:
    data.mkdir(exist_ok=True)
    parsed = parse_bootstrap(address)
    membership = Membership(
        urls=parsed.urls,
        network_id=parsed.network_id,
        networks=data,
        clock=clock,
        changed=lambda: None,
        notice=lambda _: None,
        connectivity=Connectivity(data / "connectivity.json", clock),
    )
    return ClientPresence(membership, NodeKeys(KeyStore(data / "keys", clock)))
