"""From the committee's block to whom a client asks: over a real server, into the engine's own presence."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.node import standings
from engine.node.client_presence import ClientPresence
from engine.node.keys import NodeKeys
from engine.node.presence import Membership
from engine.storage.key_store import KeyStore
from engine.transport.bootstrap_client import parse_bootstrap
from engine.transport.connectivity import Connectivity
from engine.wire.codec import encode
from tests.integration.test_blocks import BAD, EPOCHS, GOOD, chain, network
from tests.support.bootstrap import until


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
