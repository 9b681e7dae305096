"""The network of a run: a bootstrap server, model nodes with a quota each, and a client engine, all real processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from engine.bench.engines import SET_UP, Places
from engine.bench.forwarding.asking import Client
from engine.bench.forwarding.quotas import Quotas
from engine.bench.forwarding.setting import Setting
from engine.bootstrap.init import init_network
from engine.demo.processes import Processes
from engine.errors import BenchmarkError
from engine.storage.data_directory import DataDirectory, load_api_token, read_lock
from engine.wire.records import Parameters

READY_SECONDS = 120.0
SETTLE_SECONDS = 3.0
"""After which every member of the group has heard of every other one."""
PARAMETERS = Parameters(
    n=1, k=1, path_length=0, least_path_length=0, allow_loopback=True, one_prefix=True, snapshot_seconds=0.5
)
"""Everybody asks the entry node over a link of their own: forwarding is measured, not the relays."""


@dataclass(frozen=True)
class Fleet:
    """A network that is ready."""

    client: Client
    nodes: tuple[str, ...]
    processes: Processes

    def check(self) -> None:
        """Raise :class:`BenchmarkError` when a part of it has ended."""
        if dead := self.processes.dead():
            raise BenchmarkError(f"A part of the benchmark's network ended by itself: {'; '.join(dead)}")


def model_folder(setting: Setting) -> Path | None:
    """The random-weight model's folder, None for the built-in one; :class:`BenchmarkError` when it was not made."""
    if not setting.shape:
        return None
    folder = Places.of_checkout(setting.shape, os.environ).models / "onnx-int4"
    if not folder.is_dir():
        raise BenchmarkError(f"The model {setting.shape} is not there ({folder}). {SET_UP}")
    return folder


@asynccontextmanager
async def running_fleet(
    setting: Setting, policy: str, folder: Path, quotas: Quotas, extra: dict[str, Any]
) -> AsyncIterator[Fleet]:
    """A network in ``folder`` whose nodes choose by ``policy``; nothing of it runs afterwards."""
    network = init_network(folder / "bootstrap", "bench", PARAMETERS)
    port = _free_port()
    address = f"http://127.0.0.1:{port}#{network.network_id.hex()}"
    names = tuple(f"node-{number + 1}" for number in range(setting.nodes))
    source = model_folder(setting)
    with Processes(folder / "logs") as processes:
        place = ["--host", "127.0.0.1", "--port", str(port), "--data", str(folder / "bootstrap")]
        processes.start("bootstrap", "engine.cli", ["bootstrap", *place])
        for name in names:
            if source is not None:
                _give(source, DataDirectory(folder / name).models / setting.model)
            arguments = _node(address, folder / name, _serving(setting, policy))
            quotas.limit(name, processes.start(name, "engine.cli", arguments).pid, setting.share)
        asking = processes.start("client", "engine.cli", _node(address, folder / "client", []))
        quotas.limit("client", asking.pid, None)
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None), connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            client = Client(session, "", "", setting.model, extra)
            client = await _until_ready(client, folder / "client", setting, processes)
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                yield Fleet(client, names, processes)
            finally:
                processes.stop()
                for name in (*names, "client"):
                    quotas.remove(name)


def _serving(setting: Setting, policy: str) -> list[str]:
    limits = ["--threads", "1", "--cache-memory", str(setting.cache_mib)]
    return ["--contribute", setting.model, *limits, "--forwarding-policy", policy]


def _node(address: str, data: Path, more: list[str]) -> list[str]:
    return ["node", "--bootstrap", address, "--data", str(data), "--api-port", "0", "--no-relay", *more]


def _give(source: Path, target: Path) -> None:
    """The model's files under another name, without another copy where the file system can do that."""
    try:
        shutil.copytree(source, target, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_ready(client: Client, data: Path, setting: Setting, processes: Processes) -> Client:
    """Wait until the client knows every node with the model."""
    begun, seen = time.monotonic(), 0
    directory = DataDirectory(data)
    while time.monotonic() < begun + READY_SECONDS:
        if dead := processes.dead():
            raise BenchmarkError(f"A part of the benchmark's network ended by itself: {'; '.join(dead)}")
        await asyncio.sleep(0.1)
        lock = read_lock(directory.lock)
        if lock is None or not lock.port or not directory.api_token.exists():
            continue
        token = load_api_token(directory.api_token)
        client = Client(client.session, f"http://127.0.0.1:{lock.port}", token, client.model, client.extra)
        with suppress(aiohttp.ClientError, ValueError):
            seen = await _serving_nodes(client)
        if seen >= setting.nodes:
            return client
    raise BenchmarkError(
        f"The benchmark's network was not ready after {READY_SECONDS:.0f} s: {seen} of {setting.nodes} nodes serve "
        f"{setting.model}. Close other programs and run it again."
    )


async def _serving_nodes(client: Client) -> int:
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.get(f"{client.address}/v1/models", headers=headers) as response:
        listed = json.loads(await response.read())["data"]
    return next((int(one["gentorrent"]["nodes"]) for one in listed if one["id"] == client.model), 0)
