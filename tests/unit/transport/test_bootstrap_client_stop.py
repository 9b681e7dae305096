"""A lost server and a stop in the same moment: the client of the bootstrap server ends, and otherwise comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.bootstrap.init import init_network
from engine.bootstrap.run import run_server
from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.transport.bootstrap_client import BootstrapClient
from engine.wire.records import Parameters


async def _start_server(tasks: asyncio.TaskGroup, data: Path, port: int = 0) -> tuple[asyncio.Task[None], str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = tasks.create_task(run_server(data, port=port, started=ready.set_result))
    return task, await ready


async def _until(client: BootstrapClient, connected: bool) -> None:
    async with asyncio.timeout(20):
        while client.connected is not connected:
            await asyncio.sleep(0.01)


def _client(data: Path, address: str) -> BootstrapClient:
    return BootstrapClient(
        address.partition("#")[0],
        bytes.fromhex(address.partition("#")[2]),
        Identity.from_seed(bytes(range(32))),
        data=data,
        clock=SystemClock(),
        client_only=True,
        software="",
        on_directory=lambda _: None,
        on_state=lambda _: None,
        on_notice=lambda _: None,
    )


@pytest.mark.parametrize("turns", range(12))
async def test_a_stop_while_the_connection_breaks(tmp_path: Path, turns: int) -> None:
    """``turns``: of the event loop between the server's end and the stop."""
    init_network(tmp_path / "server", "test", Parameters(allow_loopback=True, one_prefix=True))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        server, address = await _start_server(tasks, tmp_path / "server")
        client = _client(tmp_path / "client", address)
        running = tasks.create_task(client.run())
        await _until(client, True)
        server.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
    assert running.cancelled()


async def test_a_lost_server_is_found_again(tmp_path: Path) -> None:
    init_network(tmp_path / "server", "test", Parameters(allow_loopback=True, one_prefix=True))
    async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
        server, address = await _start_server(tasks, tmp_path / "server")
        client = _client(tmp_path / "client", address)
        running = tasks.create_task(client.run())
        await _until(client, True)
        server.cancel()
        await _until(client, False)
        await asyncio.wait([server])  # it has left its directory and its port
        port = int(address.partition("#")[0].rpartition(":")[2])
        server, _ = await _start_server(tasks, tmp_path / "server", port)
        await _until(client, True)
        running.cancel()
        server.cancel()
