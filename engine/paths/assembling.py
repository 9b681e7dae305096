"""The model node's gathering of request cloves until k of them make a request. Pure; ``now`` is monotonic seconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.crypto.sida import join
from engine.errors import CryptoError, WireError
from engine.ids import NodeId
from engine.wire.answer import RequestClove

ASSEMBLY_SECONDS = 30.0
MAX_ASSEMBLIES = 256
MAX_ASSEMBLED_BYTES = 32 * 1024 * 1024
"""Of requests that are not complete; beyond it the oldest are forgotten."""


@dataclass(slots=True)
class Assembly:
    """The shares of one message that have arrived, and the return address of each."""

    n: int
    k: int
    started: float
    shares: dict[int, bytes] = field(default_factory=dict)
    addresses: dict[int, tuple[NodeId, bytes]] = field(default_factory=dict)

    def size(self) -> int:
        """Bytes held."""
        return sum(map(len, self.shares.values()))


class Assembler:
    """Messages whose cloves are coming in. ``open_request`` opens what is sealed to this node, or raises
    ``CryptoError``; ``clove_numbers`` are the (n, k) that are accepted."""

    def __init__(self, open_request: Callable[[bytes], bytes], clove_numbers: frozenset[tuple[int, int]]) -> None:
        self._open_request = open_request
        self._clove_numbers = clove_numbers
        self._assemblies: OrderedDict[bytes, Assembly] = OrderedDict()

    def check(self, clove: RequestClove) -> None:
        """Raise ``WireError`` for numbers that this network does not have."""
        if (clove.n, clove.k) not in self._clove_numbers or clove.index >= clove.n:
            raise WireError("clove numbers that this network does not have")

    def add(self, clove: RequestClove, address: tuple[NodeId, bytes], now: float) -> tuple[bytes, Assembly] | None:
        """Take a clove; the opened request and where its cloves came from, once there are enough."""
        assembly = self._assemblies.get(clove.message_id)
        if assembly is None:
            self._make_room()
            assembly = self._assemblies[clove.message_id] = Assembly(n=clove.n, k=clove.k, started=now)
        if (assembly.n, assembly.k) != (clove.n, clove.k) or clove.index in assembly.shares:
            return None
        assembly.shares[clove.index] = clove.share
        assembly.addresses[clove.index] = address
        if len(assembly.shares) < assembly.k:
            return None
        try:
            opened = self._open_request(join(assembly.shares, assembly.n, assembly.k))
        except CryptoError:
            if len(assembly.shares) >= assembly.n:
                del self._assemblies[clove.message_id]
            return None  # a corrupt clove among them: wait for another
        del self._assemblies[clove.message_id]
        return opened, assembly

    def _make_room(self) -> None:
        """Forget the oldest unfinished requests where they are too many or too large."""
        held = sum(assembly.size() for assembly in self._assemblies.values())
        while len(self._assemblies) >= MAX_ASSEMBLIES or held > MAX_ASSEMBLED_BYTES:
            held -= self._assemblies.popitem(last=False)[1].size()

    def deadlines(self) -> list[float]:
        """When :meth:`tick` has something to forget."""
        return [assembly.started + ASSEMBLY_SECONDS for assembly in self._assemblies.values()]

    def tick(self, now: float) -> None:
        """Forget what was never completed."""
        for message_id in [key for key, value in self._assemblies.items() if now > value.started + ASSEMBLY_SECONDS]:
            del self._assemblies[message_id]
