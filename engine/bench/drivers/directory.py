"""One part of ``gentorrent bench directory`` in a process of its own.

``python -m engine.bench.drivers.directory server FOLDER NODES UPDATES`` plays the server, in simulated time, and leaves
in FOLDER what it would send. ``join FOLDER`` is a client that has nothing and gets it, and the updates after it, over
HTTP from 127.0.0.1; ``restart FOLDER`` the same client once more. One JSON object is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import math
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import psutil
from aiohttp import web

from engine.bench.crowd import STAY_SECONDS, Crowd
from engine.bootstrap.init import Network, init_network
from engine.bootstrap.registry import Registry
from engine.bootstrap.store import DATABASE_FILE, Store
from engine.clock import ManualClock
from engine.directory.delta import DirectoryHistory, make_step
from engine.directory.directory import Directory
from engine.directory.genesis import from_file, to_file
from engine.directory.graph import RelayGraph
from engine.directory.marks import AwayMarks, check_mark
from engine.directory.snapshot import ChainPoint
from engine.errors import BenchmarkError
from engine.transport.bootstrap_http import http_session
from engine.transport.directory_keeper import DirectoryKeeper
from engine.wire.codec import encode
from engine.wire.records import AwayMark, Parameters, SignedSnapshot
from engine.wire.signaling import Marked

Result = TypeVar("Result")
CREATED = 1_750_000_000.0
RENEWAL = 0.5
"""A node publishes anew at this share of its descriptor's life."""
TICK_SECONDS = 1.0
LEAST_LIKELY = 4.0
"""Standard deviations by which more may leave than do on average."""
BEHIND = 6
"""Snapshots that a reader is behind who looks once a minute."""


def measured(call: Callable[[], Result]) -> tuple[Result, float]:
    """What ``call`` gives, and the milliseconds of processor time of this process that it took."""
    begin = time.process_time()
    result = call()
    return result, (time.process_time() - begin) * 1000


def median(values: list[float]) -> float:
    """Rounded."""
    return round(statistics.median(values), 3)


# ------------------------------------------------------------------------------------------------------------ server


class Server:
    """The server's own classes, without a network: who is listed, and what is signed."""

    def __init__(self, folder: Path, count: int, updates: int) -> None:
        clock = ManualClock(CREATED)
        network = init_network(folder / "server", "bench", Parameters(), clock=clock)
        self.network: Network = network
        self.period = network.genesis.parameters.snapshot_seconds
        self.renewal = network.genesis.parameters.descriptor_seconds * RENEWAL
        self.now = CREATED + 2 * self.renewal
        # Who left without a word stays listed for a while, and room for those who come is left beside them.
        leaving = count * updates * self.period / STAY_SECONDS
        self.crowd = Crowd(max(1, count - math.ceil(leaving + LEAST_LIKELY * math.sqrt(leaving))), network.genesis)
        self.registry = Registry(network.genesis, network.server, ChainPoint(), [], self.now, count)
        self.history = DirectoryHistory()
        self.due: list[float] = []
        self.marks: list[Marked] = []
        self.costs: dict[str, list[float]] = {}

    def note(self, name: str, call: Callable[[], Result]) -> Result:
        """Do it and note what it cost."""
        result, cost = measured(call)
        self.costs.setdefault(name, []).append(cost)
        return result

    def publish(self, place: int) -> None:
        """The node at this place publishes; its next time comes after half of the descriptor's life."""
        signed, prefix = self.crowd.descriptor(place, self.now), self.crowd.prefix(place)
        self.note("accept_ms", lambda: self.registry.accept(signed, prefix, self.now, self.now))

    def fill(self) -> None:
        """Everybody is there, each at another point of its descriptor's life."""
        end = self.now
        for place in range(self.crowd.count):
            self.now = end - self.renewal * (1 - place / self.crowd.count)
            self.publish(place)
            self.due.append(self.now + self.renewal)
        self.now = end
        for place in range(self.crowd.count):
            self.registry.heard(self.crowd.names[place], end)

    def pass_time(self) -> None:
        """One period: some leave without a word and others come, descriptors are renewed, the server looks around."""
        leavers = self.crowd.leavers(self.period)
        for place in leavers:
            self.registry.dropped(self.crowd.names[place], self.now)
            self.crowd.replace(place)
            self.due[place] = self.now + self.period / 2
        end = self.now + self.period
        while self.now < end - TICK_SECONDS / 2:
            self.now += TICK_SECONDS
            for place, due in enumerate(self.due):
                if due <= self.now:
                    self.publish(place)
                    self.due[place] = self.now + self.renewal
            for place in range(self.crowd.count):
                self.registry.heard(self.crowd.names[place], self.now)
            self.marks += self.note("tick_ms", lambda: self.registry.tick(self.now, self.now))
            self.note("due_ms", lambda: self.registry.due(self.now, self.now))

    def snapshot(self) -> SignedSnapshot:
        """The next one, with the step that leads to it."""
        before = self.history.newest
        make, content = self.note("list_ms", lambda: self.registry.build(self.now))
        signed, point = self.note("sign_ms", make)
        step = None
        if before is not None:
            step = self.note("step_ms", lambda: make_step(before.record, signed.record))
        self.registry.commit(point, content, self.now)
        self.history.append(signed, step)
        return signed


async def measure_server(folder: Path, count: int, updates: int) -> dict[str, Any]:
    """Play ``updates`` periods; files for the clients lie in ``folder`` afterwards."""
    server = Server(folder, count, updates)
    begin = time.process_time()
    server.fill()
    filled = time.process_time() - begin
    joining = server.costs.pop("accept_ms")
    signed = server.snapshot()
    for name in ("list_ms", "sign_ms"):
        server.costs[f"first_{name}"] = server.costs.pop(name)
    whole = server.note("compress_ms", lambda: server.history.answer(b""))
    (folder / "genesis.json").write_bytes(to_file(server.network.genesis))
    (folder / "answer-0").write_bytes(whole)
    store = await Store.open(folder / "server" / DATABASE_FILE)
    deltas, plain, steps, behind, saving = [], [], [], [], []
    digests = [server.history.digest]
    try:
        for number in range(1, updates + 1):
            server.pass_time()
            before = server.history.digest
            signed = server.snapshot()
            wall = time.perf_counter()
            await store.save_snapshot(signed, server.registry.point, (), server.history.last_step)
            saving.append((time.perf_counter() - wall) * 1000)
            answer = server.note("delta_ms", lambda: server.history.answer(before))  # noqa: B023 - called at once
            (folder / f"answer-{number}").write_bytes(answer)
            deltas.append(len(answer))
            step = server.history.last_step
            plain.append(0 if step is None else len(step.fresh))
            steps.append(0 if step is None else len(encode(step)))
            digests.append(server.history.digest)
            if number >= BEHIND:
                behind.append(len(server.history.answer(digests[-1 - BEHIND])))
    finally:
        store.close()
    (folder / "times.json").write_text(json.dumps({"now": server.now, "updates": updates, "epoch": 1}))
    (folder / "marks").write_bytes(encode(server.marks[-1]) if server.marks else b"")
    listed = server.registry.counts(server.now)[0]
    costs = {name: median(values) for name, values in server.costs.items()}
    return {
        "nodes": listed,
        "whole_bytes": len(signed.record),
        "whole_compressed_bytes": len(whole),
        "bytes_per_node": round(len(signed.record) / listed, 1),
        "delta_bytes": round(statistics.median(deltas)),
        "delta_fresh_bytes": round(statistics.median(plain)),
        "step_bytes": round(statistics.median(steps)),
        "delta_bytes_a_minute": round(statistics.median(behind)) if behind else None,
        "published_per_period": round(len(server.costs["accept_ms"]) / updates, 1),
        "marks_per_s": round(sum(len(one.mark.away) + len(one.mark.back) for one in server.marks) / updates / 10, 2),
        "joined_per_s": round(server.crowd.count / max(filled, 1e-9)),
        "joining_ms": [median(joining[: 1 + count // 20]), median(joining[-1 - count // 20 :])],
        "save_ms": median(saving),
        "memory_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
        **costs,
    }


# ------------------------------------------------------------------------------------------------------------ client


class Lag:
    """How long the event loop was kept from what was due at most, and how much memory was used at most."""

    def __init__(self) -> None:
        self.worst = self.peak = 0.0

    async def watch(self) -> None:
        """Until cancelled."""
        process = psutil.Process()
        while True:
            self.peak = max(self.peak, process.memory_info().rss / 1e6)
            begin = time.perf_counter()
            await asyncio.sleep(0.002)
            self.worst = max(self.worst, (time.perf_counter() - begin - 0.002) * 1000)


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Lag]:
    """Watches the loop meanwhile."""
    lag = Lag()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lag.watch())
        await asyncio.sleep(0.01)
        yield lag
        await asyncio.sleep(0.01)
        task.cancel()


class Answers:
    """A server of files: one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0

    async def serve(self, _request: web.Request) -> web.StreamResponse:
        """The next file."""
        body = (self._folder / f"answer-{self._next}").read_bytes()
        self._next += 1
        return web.Response(body=body, content_type="application/octet-stream")


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """The address of a server of the files in ``folder``."""
    application = web.Application()
    application.router.add_get("/v1/directory", Answers(folder).serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def open_keeper(folder: Path) -> DirectoryKeeper:
    """The client's, with the network's genesis pinned and nothing else, the first time."""
    genesis = from_file((folder / "genesis.json").read_bytes())
    own = folder / "client" / genesis.network_id.hex()
    own.mkdir(parents=True, exist_ok=True)
    (own / "genesis.json").write_bytes(to_file(genesis))
    now = json.loads((folder / "times.json").read_text())["now"]
    return DirectoryKeeper("http://bench", genesis.network_id, folder / "client", ManualClock(now), lambda _: None)


def _memory() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss / 1e6)


async def measure_join(folder: Path) -> dict[str, Any]:
    """Fetch, check and use the whole directory, then the updates."""
    keeper = open_keeper(folder)
    keeper.load()
    before = _memory()
    updates: list[dict[str, float]] = []
    async with serving(folder) as url, http_session() as session:
        first, directory = await _fetch(keeper, session, url)
        parameters = directory.parameters
        graph = RelayGraph(parameters)
        first["graph_ms"] = round(measured(lambda: graph.update(directory))[1], 3)
        first["memory_mb"] = round(_memory() - before, 1)
        first["peak_mb"] = max(first["memory_mb"], round(first["peak_mb"] - before, 1))
        for _ in range(json.loads((folder / "times.json").read_text())["updates"]):
            update, directory = await _fetch(keeper, session, url)
            del update["peak_mb"]
            newest = directory
            update["graph_ms"] = round(measured(lambda: graph.update(newest))[1], 3)  # noqa: B023 - called at once
            updates.append(update)
    await asyncio.to_thread(keeper._save, 0.0)  # as an engine does at least every five minutes
    return {
        "join": first,
        "update": {name: median([update[name] for update in updates]) for name in updates[0]},
        "mark_ms": _measure_marks(folder, keeper, directory),
    }


async def _fetch(
    keeper: DirectoryKeeper, session: aiohttp.ClientSession, url: str
) -> tuple[dict[str, float], Directory]:
    async with watched() as lag:
        wall, used = time.perf_counter(), time.process_time()
        directory = await keeper.fetch(session, url)
        cost = {
            "s": round(time.perf_counter() - wall, 4),
            "processor_s": round(time.process_time() - used, 4),
        }
    if directory is None:
        raise BenchmarkError("The directory that was fetched is not a new one.")
    blocked = {"loop_blocked_ms": round(lag.worst, 1), "peak_mb": round(lag.peak, 1)}
    return {**cost, **blocked, "nodes": len(directory)}, directory


def _measure_marks(folder: Path, keeper: DirectoryKeeper, directory: Directory) -> float:
    """Processor milliseconds for one message of marks: checked, believed and shown to whoever draws relays."""
    network = keeper.genesis
    assert network is not None
    server = init_network(folder / "server").server
    marks, costs = AwayMarks(), []
    names = [node.node_id for node in directory.nodes()]
    for number in range(50):
        mark = AwayMark(network.network_id, directory.epoch, int(directory.issued) + number, tuple(names[number::2000]))
        signature = server.sign("away-mark", network.network_id, encode(mark))

        def take(mark: AwayMark = mark, signature: bytes = signature) -> None:
            check_mark(network, mark, server.public_key, signature)
            marks.add(mark)
            directory.with_away(marks.believed(directory, lambda _: False)).usable_relays(directory.issued)

        costs.append(measured(take)[1])
    return median(costs)


async def measure_restart(folder: Path) -> dict[str, Any]:
    """The same client starts again, with what it kept on disk."""
    keeper = open_keeper(folder)
    before = _memory()
    async with watched() as lag:
        wall, used = time.perf_counter(), time.process_time()
        directory = await asyncio.to_thread(keeper.load)
        cost = {"s": round(time.perf_counter() - wall, 4), "processor_s": round(time.process_time() - used, 4)}
    if directory is None:
        raise BenchmarkError("Nothing was kept for the restart.")
    return {
        **cost,
        "loop_blocked_ms": round(lag.worst, 1),
        "nodes": len(directory),
        "memory_mb": round(_memory() - before, 1),
    }


def main(arguments: list[str]) -> None:
    """See the module's text."""
    name, folder = arguments[0], Path(arguments[1])
    if name == "server":
        found = asyncio.run(measure_server(folder, int(arguments[2]), int(arguments[3])))
    else:
        found = asyncio.run({"join": measure_join, "restart": measure_restart}[name](folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
