"""A server, its mirror and nodes that know both, on 127.0.0.1: what works while which of them answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from engine.bootstrap.init import init_network
from engine.clock import SystemClock
from engine.directory.login import make_login
from engine.directory.statements import make_revocation
from engine.errors import BootstrapUnreachableError, ConfigurationError
from engine.ids import NodeId
from engine.transport.bootstrap_client import BootstrapClient, parse_bootstrap
from engine.transport.bootstrap_http import send_statement
from engine.wire.codec import encode
from engine.wire.records import Parameters
from engine.wire.signaling import Challenge, Welcome, server_message_decoder
from tests.support.bootstrap import (
    FAST,
    admit_mirror,
    fetch,
    network_of,
    running_client,
    running_mirror,
    running_server,
    until,
)
from tests.support.records import identity


class Heard:
    """The signals that came to one client."""

    def __init__(self, client: BootstrapClient) -> None:
        self.signals: list[tuple[NodeId, bytes]] = []
        self.failed: list[NodeId] = []
        client.attach(self)

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        self.signals.append((peer, payload))

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        self.failed.append(peer)


def port_of(address: str) -> int:
    return int(parse_bootstrap(address).url.rpartition(":")[2])


@contextlib.asynccontextmanager
async def stoppable_server(data: Path, port: int = 0) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A server and what ends it."""
    stop = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        async with running_server(data, port=port) as found:
            address.set_result(found)
            await stop.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        try:
            yield await address, stop.set
        finally:
            stop.set()


async def until_permitted(mirror: str) -> None:
    async with asyncio.timeout(60):
        while json.loads((await fetch(mirror, "/healthz"))[1])["permit"] != "valid":
            await asyncio.sleep(0.05)


def lists(client: BootstrapClient, count: int) -> Callable[[], bool]:
    return lambda: client.directory is not None and len(client.directory) == count


async def exchanges(one: BootstrapClient, other: BootstrapClient, names: tuple[NodeId, NodeId]) -> None:
    """A signal goes each way."""
    first, second = Heard(one), Heard(other)
    assert one.send_signal(names[1], b"offer")
    await until(lambda: second.signals)
    assert second.signals == [(names[0], b"offer")]
    assert other.send_signal(names[0], b"answer")
    await until(lambda: first.signals)


async def test_nodes_at_the_server_and_at_its_mirror_are_one_network(tmp_path):
    admit_mirror(tmp_path / "s", tmp_path / "m")
    async with (
        running_server(tmp_path / "s") as address,
        running_mirror(tmp_path / "m", address) as mirror,
        running_client(address, identity(1), tmp_path / "1") as one,
        running_client(mirror, identity(2), tmp_path / "2") as two,
    ):
        await until(lambda: lists(one, 2)() and lists(two, 2)())
        assert one.directory.digest == two.directory.digest
        await until(lambda: two.state.published)
        await exchanges(one, two, (identity(1).node_id, identity(2).node_id))
        # A node that is gone is marked away also for who is at the mirror.
        health = json.loads((await fetch(mirror, "/healthz"))[1])
        assert health["passed_through"] == 1
        assert health["sessions"] == 0
        assert health["server"] == "connected"
        assert await two.withdraw()
        await until(lists(one, 1))
        for path in ("/v1/head", "/v1/genesis"):
            assert (await fetch(mirror, path))[1] == (await fetch(address, path))[1]
        delta = await fetch(mirror, f"/v1/directory?since={two.directory.digest.hex()}")
        assert delta[0] in (200, 304)


async def test_while_the_server_is_away_the_mirror_introduces(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bootstrap.mirror.RETURN_SECONDS", 0.5)
    monkeypatch.setattr("engine.bootstrap.mirror.LAST_BACKOFF", 1.0)
    monkeypatch.setattr("engine.transport.server_choice.REFUSED_BACKOFF", 0.5)
    admit_mirror(tmp_path / "s", tmp_path / "m")
    async with stoppable_server(tmp_path / "s") as (address, stop), running_mirror(tmp_path / "m", address) as mirror:
        both = f"{address},{mirror}"
        async with (
            running_client(both, identity(1), tmp_path / "1") as one,
            running_client(both, identity(2), tmp_path / "2") as two,
        ):
            await until(lambda: lists(one, 2)() and lists(two, 2)())
            await until_permitted(mirror)
            while (await fetch(mirror, "/v1/head"))[1] != (await fetch(address, "/v1/head"))[1]:
                await asyncio.sleep(0.05)  # a mirror that has missed the last directory is told to have gone back
            stop()
            at_mirror = parse_bootstrap(mirror).url
            await until(lambda: all(one.connected and one.server == at_mirror for one in (one, two)))
            await exchanges(one, two, (identity(1).node_id, identity(2).node_id))
            assert "does not answer" in one.state.warning or "own server is away" in one.state.warning
            # Who has never been in this network gets its genesis file and directory from the mirror, and is introduced.
            async with running_client(mirror, identity(3), tmp_path / "3", publish=False, client_only=True) as new:
                await until(lists(new, 2))
                await exchanges(new, one, (identity(3).node_id, identity(1).node_id))
                assert one.send_signal(NodeId(b"nobody".ljust(20, b".")), b"offer")
                heard = Heard(one)
                await until(lambda: heard.failed)
            # A listed relay that restarts comes back.
            async with running_client(both, identity(2), tmp_path / "2") as again:
                await until(lambda: again.connected and again.server == at_mirror)
                assert lists(again, 2)()
                await until(lambda: "own server is away" in again.state.warning)
                await exchanges(again, one, (identity(2).node_id, identity(1).node_id))
            statement = make_revocation(identity(2), network_of(tmp_path / "s").network_id, SystemClock().wall())
            async with aiohttp.ClientSession() as session:
                with pytest.raises(BootstrapUnreachableError, match="503"):
                    await send_statement(session, at_mirror, statement)
            # It returns: the mirror sends everybody back, and what is new is listed again.
            async with (
                running_server(tmp_path / "s", port=port_of(address)),
                running_client(mirror, identity(4), tmp_path / "4") as late,
            ):
                await until(
                    lambda: lists(one, 3)() and one.connected and one.server == parse_bootstrap(address).url, 30
                )
                await until(lambda: late.state.published)
                await exchanges(one, late, (identity(1).node_id, identity(4).node_id))


async def test_a_mirror_without_a_permit_passes_through_and_does_not_stand_in(tmp_path):
    async with (
        stoppable_server(tmp_path / "s") as (address, stop),
        running_mirror(tmp_path / "m", address) as mirror,
        running_client(mirror, identity(1), tmp_path / "1") as one,
    ):
        await until(lists(one, 1))
        stop()
        await until(lambda: not one.connected)
        await until(lambda: "503" in one.state.reason)
        health = json.loads((await fetch(mirror, "/healthz"))[1])
        assert health["permit"].startswith("none")


async def test_a_mirror_that_starts_again_while_the_server_is_away_serves_what_it_has(tmp_path):
    admit_mirror(tmp_path / "s", tmp_path / "m")
    async with stoppable_server(tmp_path / "s") as (address, stop):
        async with running_client(address, identity(1), tmp_path / "1", publish=True) as one:
            await until(lists(one, 1))
            async with running_mirror(tmp_path / "m", address) as mirror:
                await until_permitted(mirror)
                await until(lambda: list((tmp_path / "m" / "networks").rglob("directory")))
        stop()
        async with (
            running_mirror(tmp_path / "m", address) as mirror,
            running_client(mirror, identity(2), tmp_path / "2", publish=False, client_only=True) as two,
        ):
            await until(lambda: two.connected and lists(two, 1)())
    with pytest.raises(ExceptionGroup) as caught:
        async with running_mirror(tmp_path / "other", address):
            pass
    assert "for the first time" in str(caught.value.exceptions[0])


async def test_private_networks_and_servers_own_folders_are_not_mirrored(tmp_path):
    private = Parameters(snapshot_seconds=0.2, allow_loopback=True, invited_only=True)
    async with running_server(tmp_path / "s", parameters=private) as address:
        for folder, said in (("m", "is private"), ("s", "a network of its own")):
            with pytest.raises(ExceptionGroup) as caught:
                async with running_mirror(tmp_path / folder, address):
                    pass
            assert isinstance(caught.value.exceptions[0], ConfigurationError)
            assert said in str(caught.value.exceptions[0])
        # How often its directory changes is for members alone.
        assert (await fetch(address, "/v1/head"))[0] == 401


async def test_the_key_of_a_mirror_is_asked_for_in_its_own_form(tmp_path):
    init_network(tmp_path / "s", "test", FAST)
    async with running_server(tmp_path / "s") as address:
        assert (await fetch(address, "/v1/mirror"))[0] == 400
        assert (await fetch(address, "/v1/mirror?key=" + "0" * 64))[0] == 404


async def test_the_server_hears_from_where_a_node_at_its_mirror_comes(tmp_path):
    """By the addresses that the operators trust: the mirror's front, and the mirror."""
    admit_mirror(tmp_path / "s", tmp_path / "m")
    for name in ("s", "m"):
        with (tmp_path / name / "bootstrap.toml").open("a") as file:
            file.write('trusted_proxies = ["127.0.0.1/32"]\n')
    async with running_server(tmp_path / "s") as address, running_mirror(tmp_path / "m", address) as mirror:
        await until_permitted(mirror)
        url = parse_bootstrap(mirror).url
        headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{url}/v1/signaling") as socket,
        ):
            challenge = server_message_decoder.decode(await socket.receive_bytes(timeout=60))
            assert isinstance(challenge, Challenge)
            assert challenge.server_key == network_of(tmp_path / "s").server.public_key
            now = SystemClock().wall()
            login = make_login(identity(5), challenge, b"n" * 32, now, client_only=True, software="raw")
            await socket.send_bytes(encode(login))
            welcome = server_message_decoder.decode(await socket.receive_bytes(timeout=60))
            assert isinstance(welcome, Welcome)
            assert welcome.observed == "203.0.113.7"
