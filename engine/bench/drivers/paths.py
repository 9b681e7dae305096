"""One measurement of ``gentorrent bench paths`` in a process of its own.

``python -m engine.bench.drivers.paths NAME N``. ``machines``: what the protocol itself costs, N paths and N cells each
way without any link. ``path``: a client and three relays linked by WebRTC on 127.0.0.1, N set-ups and cells. ``links``:
N links of one node. One JSON object is printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psutil
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.errors import BenchmarkError
from engine.ids import NetworkId, NodeId
from engine.node.loop import CHANNEL, LANE
from engine.paths.circuits import CircuitClient, CircuitLimits, PathHop
from engine.paths.effects import CircuitEffect, CircuitOpened, CircuitReceived, Lane, RelayEffect, Send
from engine.paths.relay import RelayMachine
from engine.paths.relay_limits import RelayLimits
from engine.transport.link import Channel
from engine.transport.mesh import Mesh
from engine.transport.mesh_configuration import MeshConfiguration
from engine.transport.signaling import SignalHandler
from engine.wire.circuit import Probe

NETWORK: Final = NetworkId(bytes(32))
CLOCK: Final = SystemClock()
NAMES: Final = ("guard", "middle", "proxy")
PARTICIPANTS: Final = ("client", *NAMES)
AT_A_TIME: Final = 16
"""Set-ups, and cells, under way at once where a rate is measured."""
IDLE_SECONDS: Final = 6.0
_LIMIT_SECONDS: Final = 120.0
_LIMITS: Final = RelayLimits(
    set_ups_per_second=1e6,
    set_up_burst=1e6,
    all_set_ups_per_second=1e6,
    all_set_up_burst=1e6,
    max_circuits_per_client=4096,
)


class Relay:
    """A relay's protocol machine and its keys."""

    def __init__(self) -> None:
        self.identity = Identity.from_seed(os.urandom(32))
        self.id = self.identity.node_id
        self._onion = X25519PrivateKey.generate()
        keys = [self._onion.private_bytes_raw()]
        self.machine = RelayMachine(self.id, lambda: keys, lambda _: True, lambda _: False, os.urandom, _LIMITS)

    def hop(self) -> PathHop:
        """As a client's directory has it."""
        return PathHop(self.id, self._onion.public_key().public_bytes_raw())


def median(values: Sequence[float]) -> float:
    """Rounded for print."""
    return round(statistics.median(values), 4)


# ------------------------------------------------------------------------------------------------------- machines


class Machines:
    """A client and three relays that hand each other their messages; ``seconds`` of each by what it handled."""

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[str, Lane], float] = defaultdict(float)
        self.opened = self.replies = 0
        self.relays = [Relay() for _ in NAMES]
        self.client = CircuitClient(os.urandom, CircuitLimits(max_circuits=4096))
        self._client_id = Identity.from_seed(os.urandom(32)).node_id
        self._names = {relay.id: name for relay, name in zip(self.relays, NAMES, strict=True)}
        self._known = {relay.id: relay.machine for relay in self.relays}
        row = [self._client_id, *(relay.id for relay in self.relays)]
        for place, relay in enumerate(self.relays):
            for peer in (*row[place : place + 1], *row[place + 2 : place + 3]):
                relay.machine.link_up(peer, peer == self._client_id, 0.0)

    def open(self) -> int:
        """One path; its handle."""
        begun = time.perf_counter()
        handle, effects = self.client.open([relay.hop() for relay in self.relays], 0.0, CLOCK.wall())
        self.seconds["client", Lane.CONTROL] += time.perf_counter() - begun
        self.run(effects)
        return handle

    def probe(self, handle: int) -> None:
        """One cell there, one back."""
        begun = time.perf_counter()
        effects = self.client.send(handle, Probe(sent_us=1), 0.0)
        self.seconds["client", Lane.CELLS] += time.perf_counter() - begun
        self.run(effects)

    def run(self, effects: Sequence[CircuitEffect]) -> None:
        """Deliver until nothing is under way."""
        queue: deque[tuple[NodeId, RelayEffect | CircuitEffect]] = deque((self._client_id, one) for one in effects)
        while queue:
            sender, effect = queue.popleft()
            self.opened += isinstance(effect, CircuitOpened)
            self.replies += isinstance(effect, CircuitReceived)
            if not isinstance(effect, Send):
                continue
            machine, begun = self._known.get(effect.peer), time.perf_counter()
            answers: Sequence[RelayEffect | CircuitEffect]
            if machine is None:
                answers = self.client.receive(sender, effect.lane, effect.data, 0.0)
            else:
                answers = machine.receive(sender, effect.lane, effect.data, 0.0, CLOCK.wall())
            self.seconds[self._names.get(effect.peer, "client"), effect.lane] += time.perf_counter() - begun
            queue += [(effect.peer, answer) for answer in answers]


def measure_machines(count: int) -> dict[str, Any]:
    """Milliseconds of a set-up, and microseconds of a cell (each way once, halved), of each participant."""
    machines = Machines()
    machines.run(machines.client.close(machines.open(), 0.0))
    set_ups: list[dict[tuple[str, Lane], float]] = []
    cells: list[dict[tuple[str, Lane], float]] = []
    for _ in range(count):
        machines.seconds.clear()
        machines.run(machines.client.close(machines.open(), 0.0))
        set_ups.append(dict(machines.seconds))
    handle = machines.open()
    for _ in range(count):
        machines.seconds.clear()
        machines.probe(handle)
        cells.append(dict(machines.seconds))
    if machines.opened != count + 2 or machines.replies != count:
        raise BenchmarkError("Paths did not open, or cells were lost, where there is no network; nothing is measured.")
    return {
        "set_up_ms": {name: median([1000 * one[name, Lane.CONTROL] for one in set_ups]) for name in PARTICIPANTS},
        "cell_us": {name: median([5e5 * one[name, Lane.CELLS] for one in cells]) for name in PARTICIPANTS},
    }


# ------------------------------------------------------------------------------------------------------ real links


class LocalSignaling:
    """Offers and answers between the meshes of one process."""

    def __init__(self) -> None:
        self.handlers: dict[NodeId, SignalHandler] = {}


class LocalPort:
    """One node's ``SignalingPort``."""

    connected = True

    def __init__(self, service: LocalSignaling, node_id: NodeId) -> None:
        self._service = service
        self._node_id = node_id

    def attach(self, handler: SignalHandler) -> None:
        """See ``SignalingPort``."""
        self._service.handlers[self._node_id] = handler

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        """See ``SignalingPort``."""
        asyncio.get_running_loop().call_soon(self._service.handlers[peer].on_signal, self._node_id, payload)
        return True


Receive = Callable[[NodeId, Lane, bytes], Sequence[RelayEffect | CircuitEffect]]


class Node:
    """A mesh whose messages go to ``receive``; effects that are not sends go to ``told``. Also its ``LinkHandler``."""

    def __init__(self, identity: Identity, signaling: LocalSignaling, *, is_client: bool = False) -> None:
        self.id = identity.node_id
        self.receive: Receive = lambda _peer, _lane, _data: []
        self.up: Callable[[NodeId, bool], object] = lambda _peer, _is_client: None
        self.told: Callable[[RelayEffect | CircuitEffect], object] = lambda _: None
        self.linked: dict[NodeId, float] = {}
        configuration = MeshConfiguration(is_client=is_client, allow_loopback=True)
        self.mesh = Mesh(identity, NETWORK, self, LocalPort(signaling, self.id), CLOCK, configuration)

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        """See ``LinkHandler``."""
        self.linked[peer] = CLOCK.monotonic()
        self.up(peer, peer_is_client)

    def link_down(self, peer: NodeId, reason: str) -> None:
        """See ``LinkHandler``."""
        self.linked.pop(peer, None)

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """See ``LinkHandler``."""
        self.apply(self.receive(peer, LANE[channel], data))

    def apply(self, effects: Sequence[RelayEffect | CircuitEffect]) -> None:
        """Send what is to be sent."""
        for effect in effects:
            if isinstance(effect, Send):
                self.mesh.send(effect.peer, CHANNEL[effect.lane], effect.data)
            else:
                self.told(effect)


@asynccontextmanager
async def running(nodes: Sequence[Node]) -> AsyncIterator[None]:
    """All meshes run inside."""
    async with asyncio.TaskGroup() as group, asyncio.timeout(_LIMIT_SECONDS):
        tasks = [group.create_task(node.mesh.run()) for node in nodes]
        await asyncio.sleep(0)
        yield
        for task in tasks:
            task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait; the caller's time limit holds."""
    while not condition():  # noqa: ASYNC110 - links are told to a handler, not to an event
        await asyncio.sleep(0.005)


class RealPath:
    """A client and three relays in one process, linked by WebRTC."""

    def __init__(self) -> None:
        signaling = LocalSignaling()
        self.relays = [Relay() for _ in NAMES]
        self.machine = CircuitClient(os.urandom, CircuitLimits(max_circuits=4096))
        self.client = Node(Identity.from_seed(os.urandom(32)), signaling, is_client=True)
        self.nodes = [self.client]
        for relay in self.relays:
            self.nodes.append(self._node(relay, signaling))
        self.client.receive = lambda peer, lane, data: self.machine.receive(peer, lane, data, CLOCK.monotonic())
        self.client.told = self._told
        self.opened: list[CircuitOpened] = []
        self.replied: list[float] = []
        self.moved = asyncio.Event()

    @staticmethod
    def _node(relay: Relay, signaling: LocalSignaling) -> Node:
        node, machine = Node(relay.identity, signaling), relay.machine
        node.receive = lambda peer, lane, data: machine.receive(peer, lane, data, CLOCK.monotonic(), CLOCK.wall())
        node.up = lambda peer, is_client: node.apply(machine.link_up(peer, is_client, CLOCK.monotonic()))
        return node

    def _told(self, effect: RelayEffect | CircuitEffect) -> None:
        if isinstance(effect, CircuitOpened):
            self.opened.append(effect)
        elif isinstance(effect, CircuitReceived):
            self.replied.append(CLOCK.monotonic())
        else:
            raise BenchmarkError(f"A path of the benchmark failed: {effect}")
        self.moved.set()

    async def link(self) -> None:
        """Client, guard, middle and proxy in a row."""
        for one, other in zip(self.nodes, self.nodes[1:], strict=False):
            one.mesh.want({other.id})
        await until(lambda: all(len(node.linked) >= 1 + (0 < place < 3) for place, node in enumerate(self.nodes)))

    async def set_up(self, count: int, at_a_time: int) -> tuple[list[float], float]:
        """Milliseconds of each set-up, and seconds of all."""
        self.opened.clear()
        begun, started = CLOCK.monotonic(), 0
        while len(self.opened) < count:
            while started < count and started - len(self.opened) < at_a_time:
                hops = [relay.hop() for relay in self.relays]
                self.client.apply(self.machine.open(hops, CLOCK.monotonic(), CLOCK.wall())[1])
                started += 1
            await self._wait()
        took = CLOCK.monotonic() - begun
        for known in self.opened[:-1]:
            self.client.apply(self.machine.close(known.handle, CLOCK.monotonic()))
        return [1000 * known.set_up_seconds for known in self.opened], took

    async def cells(self, count: int, at_a_time: int) -> tuple[list[float], float]:
        """Milliseconds of each probe there and back over the last path that was set up (in order, so only those of one
        at a time mean something), and seconds of all."""
        handle = self.opened[-1].handle
        self.replied.clear()
        sent: list[float] = []
        while len(self.replied) < count:
            while len(sent) < count and len(sent) - len(self.replied) < at_a_time:
                sent.append(CLOCK.monotonic())
                self.client.apply(self.machine.send(handle, Probe(sent_us=1), CLOCK.monotonic()))
            await self._wait()
        return [1000 * (b - a) for a, b in zip(sent, self.replied, strict=True)], self.replied[-1] - sent[0]

    async def _wait(self) -> None:
        await self.moved.wait()
        self.moved.clear()


async def measure_path(count: int) -> dict[str, Any]:
    """Set-up and cells of a path whose client and relays share one core."""
    path = RealPath()
    async with running(path.nodes):
        await path.link()
        await path.set_up(AT_A_TIME, AT_A_TIME)
        alone, _ = await path.set_up(count, 1)
        _, together = await path.set_up(4 * count, AT_A_TIME)
        trips, _ = await path.cells(count, 1)
        before = time.process_time()
        probes = 20 * count
        _, took = await path.cells(probes, AT_A_TIME)
        used = time.process_time() - before
    hops = 2 * len(NAMES) * probes  # each probe goes over three links, and its reply, too
    return {
        "set_up_ms": median(alone),
        "set_up_ms_spread": [round(min(alone), 2), round(max(alone), 2)],
        "set_ups_per_s": round(4 * count / together, 1),
        "cell_round_trip_ms": median(trips),
        "cells_per_s": round(2 * probes / took, 1),
        "us_per_cell_and_hop": round(1e6 * used / hops, 1),
        "relay_cells_per_s_per_core": round(hops / used),
    }


async def measure_links(count: int) -> dict[str, Any]:
    """One node with ``count`` links, whose other ends are in this process, too."""
    signaling = LocalSignaling()
    nodes = [Node(Identity.from_seed(os.urandom(32)), signaling) for _ in range(count + 1)]
    hub, others = nodes[0], nodes[1:]
    process = psutil.Process()
    async with running(nodes):
        memory, begun, used = process.memory_info().rss, CLOCK.monotonic(), time.process_time()
        hub.mesh.want({node.id for node in others})
        await until(lambda: len(hub.linked) == count and all(node.linked for node in others))
        took, spent = CLOCK.monotonic() - begun, time.process_time() - used
        await asyncio.sleep(1.0)
        grown, before, wall = process.memory_info().rss - memory, time.process_time(), CLOCK.monotonic()
        await asyncio.sleep(IDLE_SECONDS)
        idle = (time.process_time() - before) / (CLOCK.monotonic() - wall)
    return {
        "links": count,
        "all_s": round(took, 3),
        "processor_ms_per_link": round(1000 * spent / count, 2),
        "kb_per_end": round(grown / 1000 / (2 * count), 1),
        "idle_processor_share": round(idle, 4),
        "idle_processor_share_per_end": round(idle / (2 * count), 6),
    }


def main() -> None:
    """The command line of this module."""
    name, count = sys.argv[1], int(sys.argv[2])
    if name == "machines":
        found = measure_machines(count)
    else:
        found = asyncio.run({"path": measure_path, "links": measure_links}[name](count))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
