"""Loss, delay, jitter, reordering and duplication on real links: UDP passes through sockets of this module.

Each connection tells its peer the port of a plug here instead of its own. What arrives at a plug goes on to the
connection behind it, out of the sender's plug, so that to both ends the other one is where it said.
"""

from __future__ import annotations

import asyncio
import random
import socket
from dataclasses import dataclass, replace

from engine.transport.rtc import RtcConfiguration, RtcConnection, RtcObserver
from engine.transport.sdp import Session


@dataclass
class Faults:
    """Of every packet, one way. ``delay`` and ``jitter`` (added, uniformly) are seconds; the others are chances."""

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    duplication: float = 0.0


class Plug:
    """The public face of one connection, whose own port is ``inner``."""

    def __init__(self, wires: Wires, owner: str, inner: int) -> None:
        self.owner = owner
        self.inner = inner
        self.dead = False
        self.extra_delay = 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        asyncio.get_running_loop().add_reader(self.socket, wires.arrived, self)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


class Wires:
    """All the UDP of a test. ``seed`` decides every chance."""

    def __init__(self, seed: int, faults: Faults | None = None) -> None:
        self._random = random.Random(seed)
        self.faults = faults or Faults()
        self.plugs: dict[int, Plug] = {}
        self.carried = 0
        self.lost = 0

    def connect(self, owner: str) -> type[RtcConnection]:
        """The kind of connection that ``owner``'s mesh makes."""
        wires = self

        class WiredConnection(RtcConnection):
            """A connection behind a plug."""

            def __init__(self, configuration: RtcConfiguration, observer: RtcObserver) -> None:
                super().__init__(configuration, observer)
                self.plug: Plug | None = None

            def _own_session(self, kind: str) -> Session:
                session = super()._own_session(kind)
                (candidate,) = session.candidates
                self.plug = wires.plugs[candidate.port] = Plug(wires, owner, candidate.port)
                return replace(session, candidates=(replace(candidate, port=self.plug.port),))

            async def close(self) -> None:
                try:
                    await super().close()
                finally:
                    plug, self.plug = self.plug, None
                    if plug is not None:
                        plug.close()
                        if wires.plugs.get(plug.inner) is plug:  # the port may have been lent again meanwhile
                            del wires.plugs[plug.inner]

        return WiredConnection

    def strand(self, owner: str) -> None:
        """``owner`` is in another network from now on: what it has is cut off, what it makes later works."""
        for plug in self.plugs.values():
            plug.dead = plug.dead or plug.owner == owner

    def slow(self, owner: str, seconds: float) -> None:
        """The connections that ``owner`` has now become slower, later ones do not."""
        for plug in self.plugs.values():
            if plug.owner == owner:
                plug.extra_delay = seconds

    def arrived(self, plug: Plug) -> None:
        """Packets wait at ``plug``."""
        for _ in range(64):
            try:
                data, (_, port) = plug.socket.recvfrom(65_536)
            except BlockingIOError:
                return
            sender = self.plugs.get(port)
            if sender is not None and not sender.dead and not plug.dead:
                self._pass(sender, plug, data)

    def _pass(self, sender: Plug, receiver: Plug, data: bytes) -> None:
        self.carried += 1
        copies = 1 + (self._random.random() < self.faults.duplication)
        if self._random.random() < self.faults.loss:
            self.lost += 1
            copies -= 1
        for _ in range(copies):
            delay = self.faults.delay + self._random.uniform(0, self.faults.jitter)
            delay += sender.extra_delay + receiver.extra_delay
            if delay:
                asyncio.get_running_loop().call_later(delay, self._deliver, sender, receiver, data)
            else:
                self._deliver(sender, receiver, data)

    def _deliver(self, sender: Plug, receiver: Plug, data: bytes) -> None:
        if sender.socket.fileno() >= 0 and not receiver.dead:
            try:
                sender.socket.sendto(data, ("127.0.0.1", receiver.inner))
            except OSError:
                self.lost += 1
