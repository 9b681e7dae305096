"""Relays, clients and model nodes wired together in a dictionary: what one sends, another receives, in order."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.crypto.onion import public_onion_key
from engine.ids import NodeId
from engine.paths.circuits import CircuitClient, CircuitLimits, PathHop
from engine.paths.effects import CircuitEffect, Disconnect, Lane, RelayEffect, Send
from engine.paths.relay import RelayMachine
from engine.paths.relay_limits import RelayLimits
from engine.wire.circuit import CircuitMessage
from engine.wire.codec import encode
from engine.wire.link import LinkMessage, link_decoder

WALL = 1_750_000_000.0


def decoded(data: bytes) -> Any:
    """The control message of some bytes; the tests know which to expect."""
    return link_decoder.decode(data)


def node(name: str) -> NodeId:
    return NodeId(name.encode().ljust(20, b"."))


@dataclass(frozen=True)
class Sent:
    """One message on a link."""

    sender: NodeId
    receiver: NodeId
    lane: Lane
    data: bytes


class Wires:
    """A network of ``relays`` relays, all linked, with clients and model nodes. Nothing moves before :meth:`run`."""

    def __init__(
        self,
        relays: int = 3,
        seed: int = 1,
        limits: RelayLimits | None = None,
        *,
        dials: bool = False,
        bandwidth: float | None = None,
    ) -> None:
        self.random = random.Random(seed)
        self.now = 100.0
        self.wall = WALL
        self.names = [node(f"relay-{i}") for i in range(relays)]
        self.onion_keys = {name: self.random.randbytes(32) for name in self.names}
        self.listed = set(self.names)
        self.models: set[NodeId] = set()
        self.relays = {
            name: RelayMachine(
                name,
                self.private_keys(name),
                self.listed.__contains__,
                self.models.__contains__,
                self.random.randbytes,
                limits,
                dials=lambda: dials,
                bandwidth=bandwidth,
            )
            for name in self.names
        }
        self.clients: dict[NodeId, CircuitClient] = {}
        self.events: list[Any] = []
        self.at_model: defaultdict[NodeId, list[tuple[NodeId, Any]]] = defaultdict(list)
        self.links: set[frozenset[NodeId]] = set()
        self.queue: deque[Sent] = deque()
        self.trace: list[Sent] = []
        self.disconnects: list[tuple[NodeId, Disconnect]] = []
        self.tamper: Callable[[Sent], Sent | None] = lambda sent: sent
        for i, one in enumerate(self.names):
            for other in self.names[i + 1 :]:
                self.link(one, other)

    def private_keys(self, name: NodeId) -> Callable[[], list[bytes]]:
        return lambda: [bytes(32), self.onion_keys[name]]

    def link(self, one: NodeId, other: NodeId) -> None:
        self.links.add(frozenset((one, other)))
        for own, peer in ((one, other), (other, one)):
            if own in self.relays:
                self.carry_out(own, self.relays[own].link_up(peer, peer in self.clients, self.now))

    def unlink(self, one: NodeId, other: NodeId) -> None:
        self.links.discard(frozenset((one, other)))
        for own, peer in ((one, other), (other, one)):
            if own in self.relays:
                self.carry_out(own, self.relays[own].link_down(peer, self.now))
            elif own in self.clients:
                self.carry_out(own, self.clients[own].link_down(peer, self.now))

    def kill(self, name: NodeId) -> None:
        self.relays.pop(name)
        for pair in list(self.links):
            if name in pair:
                (other,) = pair - {name}
                self.unlink(name, other)

    def client(self, name: str = "client", limits: CircuitLimits | None = None) -> NodeId:
        own = node(name)
        self.clients[own] = CircuitClient(self.random.randbytes, limits)
        for relay in self.relays:
            self.link(own, relay)
        return own

    def model(self, name: str = "model") -> NodeId:
        own = node(name)
        self.models.add(own)
        for relay in self.relays:
            self.link(own, relay)
        return own

    def hops(self, *indices: int) -> list[PathHop]:
        return [PathHop(self.names[i], public_onion_key(self.onion_keys[self.names[i]])) for i in indices]

    def open(self, client: NodeId, *indices: int) -> int:
        handle, effects = self.clients[client].open(self.hops(*indices), self.now, self.wall)
        self.carry_out(client, effects)
        return handle

    def send(self, client: NodeId, handle: int, message: CircuitMessage) -> None:
        self.carry_out(client, self.clients[client].send(handle, message, self.now))

    def from_model(self, model: NodeId, relay: NodeId, message: LinkMessage) -> None:
        self.queue.append(Sent(model, relay, Lane.CONTROL, encode(message)))

    def carry_out(self, own: NodeId, effects: Sequence[RelayEffect | CircuitEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.queue.append(Sent(own, effect.peer, effect.lane, effect.data))
            elif isinstance(effect, Disconnect):
                self.disconnects.append((own, effect))
            else:
                self.events.append(effect)

    def run(self, most: int = 100_000) -> list[Any]:
        """Deliver until nothing is on its way; returns the new events."""
        before = len(self.events)
        for _ in range(most):
            if not self.queue:
                return self.events[before:]
            self.deliver(self.queue.popleft())
        raise AssertionError("the network does not come to rest")

    def deliver(self, original: Sent) -> None:
        sent = self.tamper(original)
        if sent is None or frozenset((sent.sender, sent.receiver)) not in self.links:
            return
        self.trace.append(sent)
        if sent.receiver in self.relays:
            relay = self.relays[sent.receiver]
            self.carry_out(sent.receiver, relay.receive(sent.sender, sent.lane, sent.data, self.now, self.wall))
        elif sent.receiver in self.clients:
            client = self.clients[sent.receiver]
            self.carry_out(sent.receiver, client.receive(sent.sender, sent.lane, sent.data, self.now))
        else:
            self.at_model[sent.receiver].append((sent.sender, decoded(sent.data)))

    def advance(self, seconds: float) -> list[Any]:
        """Let time pass, calling ``tick`` when the machines ask for it."""
        before = len(self.events)
        end = self.now + seconds
        while True:
            machines: list[tuple[NodeId, RelayMachine | CircuitClient]] = [*self.relays.items(), *self.clients.items()]
            due = min((d for _, m in machines if (d := m.next_deadline()) is not None), default=end + 1)
            if due > end:
                break
            self.now = max(self.now, due)
            for own, machine in machines:
                self.carry_out(own, machine.tick(self.now))
            self.run()
        self.wall += seconds
        self.now = end
        return self.events[before:]

    def on_link(self, one: NodeId, other: NodeId, lane: Lane | None = None) -> list[Sent]:
        """Everything that crossed a link so far."""
        return [s for s in self.trace if {s.sender, s.receiver} == {one, other} and lane in (None, s.lane)]
