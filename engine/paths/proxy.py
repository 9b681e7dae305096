"""The last relay of a path: hands cloves to model nodes and answers back to circuits. Sees neither sender nor content.

It knows circuits by number only; cells, windows and links are :mod:`engine.paths.relay`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from engine.errors import WireError
from engine.ids import NodeId
from engine.paths.effects import Lane, Send
from engine.wire.circuit import (
    CircuitMessage,
    Dispatch,
    DispatchFailed,
    Probe,
    ProbeReply,
    Release,
    Released,
    Return,
)
from engine.wire.codec import encode
from engine.wire.link import DeliverClove, ReleaseHandle, ReturnClove

MAX_HANDLES: Final = 64
"""Return addresses per circuit."""

Address = tuple[NodeId, bytes]
"""Model node and handle: what an answer comes back under."""


class ProxyRole:
    """Return addresses: (model node, handle) <-> circuit."""

    def __init__(self, is_model_node: Callable[[NodeId], bool], is_linked: Callable[[NodeId], bool]) -> None:
        self._is_model_node = is_model_node
        self._is_linked = is_linked
        self._circuits: dict[Address, int] = {}
        self._addresses: dict[int, dict[Address, None]] = {}
        self._released: dict[int, deque[bytes]] = {}  # by their clients, the last MAX_HANDLES of each circuit

    def __len__(self) -> int:
        """Return addresses held."""
        return len(self._circuits)

    def from_circuit(self, circuit: int, message: CircuitMessage) -> tuple[list[Send], CircuitMessage | None]:
        """A client's message: what goes over links, and the answer into the circuit.

        Raises ``WireError`` for a message that only a proxy sends.
        """
        if isinstance(message, Dispatch):
            return self._dispatch(circuit, message)
        if isinstance(message, Release):
            self._released.setdefault(circuit, deque(maxlen=MAX_HANDLES)).append(message.handle)
            own = [address for address in self._addresses.get(circuit, ()) if address[1] == message.handle]
            return self._forget(circuit, own), None
        if isinstance(message, Probe):
            return [], ProbeReply(message.sent_us)
        raise WireError(f"a client sent a proxy's message ({type(message).__name__})")

    def _dispatch(self, circuit: int, message: Dispatch) -> tuple[list[Send], CircuitMessage | None]:
        destination = NodeId(message.destination)
        address = (destination, message.handle)
        own = self._addresses.get(circuit, {})
        reason = None
        if address not in own and not self._is_model_node(destination):  # a running answer outlives the listing
            reason = "the proxy's directory does not list the destination as a model node"
        elif not self._is_linked(destination):
            reason = "the proxy has no link with the destination"
        elif self._circuits.get(address, circuit) != circuit:
            reason = "the return address is taken"
        elif address not in own and len(own) >= MAX_HANDLES:
            reason = f"a circuit has at most {MAX_HANDLES} return addresses"
        if reason is not None:
            return [], DispatchFailed(message.handle, reason)
        if message.handle not in self._released.get(circuit, ()):  # else its release has overtaken this, as cells may
            self._circuits[address] = circuit
            self._addresses.setdefault(circuit, {})[address] = None
        return [Send(destination, Lane.CONTROL, encode(DeliverClove(message.handle, message.clove)))], None

    def returned(self, peer: NodeId, message: ReturnClove) -> tuple[int, CircuitMessage] | None:
        """A model node's answer: the circuit and what goes into it. None: nobody here has this return address."""
        circuit = self._circuits.get((peer, message.handle))
        return None if circuit is None else (circuit, Return(message.handle, message.clove))

    def released(self, peer: NodeId, handle: bytes) -> tuple[int, CircuitMessage] | None:
        """A model node gave a return address up: the circuit to tell, and what."""
        address = (peer, handle)
        circuit = self._circuits.get(address)
        if circuit is None:
            return None
        self._drop(circuit, address)
        return circuit, Released(handle)

    def link_down(self, peer: NodeId) -> list[tuple[int, CircuitMessage]]:
        """The link with ``peer`` is gone: the circuits to tell, and what."""
        gone = [(circuit, address) for address, circuit in self._circuits.items() if address[0] == peer]
        for circuit, address in gone:
            self._drop(circuit, address)
        return [(circuit, Released(address[1])) for circuit, address in gone]

    def circuit_closed(self, circuit: int) -> list[Send]:
        """The circuit is gone: model nodes are told that its return addresses are."""
        self._released.pop(circuit, None)
        return self._forget(circuit, list(self._addresses.get(circuit, ())))

    def _forget(self, circuit: int, addresses: list[Address]) -> list[Send]:
        for address in addresses:
            self._drop(circuit, address)
        return [Send(peer, Lane.CONTROL, encode(ReleaseHandle(handle))) for peer, handle in addresses]

    def _drop(self, circuit: int, address: Address) -> None:
        del self._circuits[address]
        own = self._addresses[circuit]
        del own[address]
        if not own:
            del self._addresses[circuit]
