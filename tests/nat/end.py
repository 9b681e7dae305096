"""One engine's end in a namespace: a real ``Mesh`` with a real ``Connectivity``; JSON lines in, JSON lines out.

In: ``{"do": "join", "entries": [[urls, user, password]], "memory": path, "authority": path, "relayed_only": bool}``,
``{"do": "dial", "peer": hex}``, ``{"do": "signal", "peer": hex, "payload": base64}``,
``{"do": "send", "peer": hex, "text": text}`` (on both channels), ``{"do": "report"}``, ``{"do": "leave"}``,
``{"do": "relay", ...}``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from aioice import stun
from aioice.turn import create_turn_endpoint

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.ids import NetworkId, NodeId
from engine.transport.connectivity import Connectivity, tls_context
from engine.transport.ice_servers import parse_ice_url, usable_servers
from engine.transport.link import Channel
from engine.transport.mesh import Mesh, MeshConfiguration
from engine.transport.probes import turn_problem
from engine.transport.signaling import SignalHandler

NETWORK = NetworkId(bytes(range(32)))
CLOCK = SystemClock()


def say(**news: Any) -> None:
    """One line to the test."""
    sys.stdout.write(json.dumps(news) + "\n")
    sys.stdout.flush()


class Pipes:
    """A ``SignalingPort`` whose server is the test."""

    connected = True

    def attach(self, handler: SignalHandler) -> None:
        self.handler = handler

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        say(news="signal", peer=peer.hex(), payload=base64.b64encode(payload).decode())
        return True


class End:
    """Handler of the mesh; lives through several joins."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.tasks: list[asyncio.Task[None]] = []
        self.mesh: Mesh | None = None
        self.began = 0.0

    def link_up(self, peer: NodeId, _peer_is_client: bool) -> None:
        assert self.mesh is not None
        say(
            news="up",
            peer=peer.hex(),
            seconds=round(CLOCK.monotonic() - self.began, 3),
            relayed=bool(self.mesh.is_relayed(peer)),
        )

    def link_down(self, peer: NodeId, reason: str) -> None:
        say(news="down", peer=peer.hex(), reason=reason)

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        say(news="message", peer=peer.hex(), channel=channel.name.lower(), text=base64.b64encode(data).decode())

    async def join(self, group: asyncio.TaskGroup, order: dict[str, Any]) -> None:
        self.began = CLOCK.monotonic()
        pipes = Pipes()
        self.connectivity = connectivity = Connectivity(
            Path(order["memory"]), CLOCK, tls=tls_context(order["authority"])
        )
        configuration = MeshConfiguration(relayed_only=order.get("relayed_only", False))
        self.mesh = mesh = Mesh(self.identity, NETWORK, self, pipes, CLOCK, configuration)
        self.pipes = pipes

        def changed() -> None:
            mesh.set_ice_servers(connectivity.servers("node"), connectivity.tls)

        connectivity.listen(changed)
        self.tasks.append(group.create_task(connectivity.run()))
        connectivity.offer("node", usable_servers(order["entries"]))
        await connectivity.settled()
        changed()
        self.tasks.append(group.create_task(mesh.run()))
        chosen = connectivity.servers("node")
        say(
            news="joined",
            seconds=round(CLOCK.monotonic() - self.began, 3),
            stun=str(chosen.stun or ""),
            turn=str(chosen.turn.url) if chosen.turn else "",
        )

    async def report(self) -> None:
        """What the probes found, once all have answered."""
        while not self.connectivity.report.turn:
            await asyncio.sleep(0.02)
        report = self.connectivity.report
        say(news="report", mapping=report.mapping.value, udp_blocked=report.udp_blocked)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        self.mesh = None
        say(news="left")


async def send_through_relay(order: dict[str, Any]) -> None:
    """Borrow ``count`` addresses and try to send from the last one to ``target``: what the TURN server says to it."""
    url = parse_ice_url(order["url"])
    ends: list[tuple[Any, Errors]] = []
    try:
        while len(ends) < order.get("count", 1):
            ends += [await create_turn_endpoint(Errors, (url.host, url.port), order["user"], order["password"])]
    except stun.TransactionError as error:
        say(news="relay", lent=len(ends), error=turn_problem(error, 1.0))
    else:
        transport, errors = ends[-1]
        if "target" in order:
            transport.sendto(b"hello", (order["target"], 9))
            await asyncio.wait((errors.error,), timeout=1.0)
        said = str(errors.error.result()) if errors.error.done() else ""
        say(news="relay", lent=len(ends), error=said)
    for transport, _ in ends:
        transport.close()


class Errors(asyncio.DatagramProtocol):
    """Keeps the first error."""

    def __init__(self) -> None:
        self.error: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def error_received(self, error: Exception) -> None:
        if not self.error.done():
            self.error.set_result(error)


async def main(seed: int) -> None:
    identity = Identity.from_seed(bytes([seed]) * 32)
    end = End(identity)
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(news="ready", node=identity.node_id.hex())
    async with asyncio.TaskGroup() as group:
        while line := await reader.readline():
            order = json.loads(line)
            match order["do"]:
                case "join":
                    await end.join(group, order)
                case "leave":
                    await end.leave()
                case "report":
                    await end.report()
                case "relay":
                    await send_through_relay(order)
                case "dial" if end.mesh is not None:
                    end.mesh.dial(NodeId(bytes.fromhex(order["peer"])))
                case "signal" if end.mesh is not None:
                    payload = base64.b64decode(order["payload"])
                    end.pipes.handler.on_signal(NodeId(bytes.fromhex(order["peer"])), payload)
                case "send" if end.mesh is not None:
                    for channel in (Channel.CONTROL, Channel.CELLS):
                        end.mesh.send(NodeId(bytes.fromhex(order["peer"])), channel, order["text"].encode())
        await end.leave()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
