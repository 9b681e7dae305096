"""One circuit at one relay: neighbours, layers, windows. Links and tables are :mod:`engine.paths.relay`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.crypto.onion import HopKeys
from engine.errors import PathError
from engine.ids import CircuitId, NodeId
from engine.paths.cells import (
    MAX_CELLS,
    SEQUENCE_MASK,
    TAG_LENGTH,
    TAG_SLOTS,
    LayerCipher,
    header_of,
    peel_forward,
    wrap_backward,
)
from engine.paths.effects import Lane, Send
from engine.paths.fragments import Reassembler, fragment
from engine.paths.windows import CREDIT_STEP, ReceiveWindow, SendWindow
from engine.wire.circuit import CircuitMessage
from engine.wire.codec import encode
from engine.wire.link import Credit, DestroyCircuit

RandomBytes = Callable[[int], bytes]
_ORIGIN_SLOTS: Final = (TAG_SLOTS - 1) * TAG_LENGTH


class Side:
    """One end of the circuit at this relay: a neighbour and the circuit's id on the link with it."""

    __slots__ = ("circuit_id", "field", "peer")

    def __init__(self, peer: NodeId, circuit_id: CircuitId) -> None:
        self.peer = peer
        self.circuit_id = circuit_id
        self.field = circuit_id.to_bytes(8, "big")

    def credit(self) -> Send:
        """Open the window of the neighbour's cells by one step."""
        return Send(self.peer, Lane.CONTROL, encode(Credit(self.field, CREDIT_STEP)))

    def destroy(self) -> Send:
        """Tell the neighbour that the circuit is gone."""
        return Send(self.peer, Lane.CONTROL, encode(DestroyCircuit(self.field)))


class RelayCircuit:
    """A circuit that this relay passes on, or, with no ``next_side``, that ends here (proxy).

    Methods raise ``PathError``, ``SealError`` or ``WireError`` when the circuit has to be closed.
    """

    def __init__(
        self, number: int, previous: Side, next_side: Side | None, keys: HopKeys, now: float, random_bytes: RandomBytes
    ) -> None:
        self.number = number
        self.previous = previous
        self.next_side = next_side
        self.keys = keys
        self.is_open = next_side is None
        self.active_at = now
        self.counted = 0
        """What :meth:`held` was when the relay last added it up."""
        self._random_bytes = random_bytes
        self._forward_layer = LayerCipher(keys.forward_key)
        self._backward_layer = LayerCipher(keys.backward_key)
        self._forward_in = ReceiveWindow(keys.forward_base)
        self._forward_out = SendWindow()
        self._backward_in = ReceiveWindow((keys.backward_base + keys.backward_delta) & SEQUENCE_MASK)
        self._backward_out = SendWindow()
        self._reassembler = Reassembler()
        self._messages = 0
        self._cells = 0

    def held(self) -> int:
        """Payloads and cells held in memory."""
        return len(self._forward_out) + len(self._backward_out) + len(self._reassembler)

    def waiting_backward(self) -> int:
        """Payloads or cells that wait for the previous hop's credit."""
        return len(self._backward_out)

    def expire(self, now: float) -> None:
        """Forget unfinished messages that are too old."""
        self._reassembler.expire(now)

    def pass_forward(self, cell: bytes) -> list[Send]:
        """A cell from the previous hop at a relay in the middle."""
        assert self.next_side is not None
        sequence = header_of(cell)[1]
        number = self._forward_in.admit(sequence)
        if number is None:
            return []
        behind = (sequence + self.keys.forward_delta) & SEQUENCE_MASK
        filler = self._random_bytes(TAG_LENGTH)
        peeled = peel_forward(self._forward_layer, cell, self.next_side.circuit_id, behind, filler)
        self._forward_in.mark(number)
        self._forward_out.push(peeled)
        return self._flush_forward()

    def pass_backward(self, cell: bytes) -> list[Send]:
        """A cell from the next hop."""
        sequence = header_of(cell)[1]
        number = self._backward_in.admit(sequence)
        if number is None:
            return []
        self._backward_in.mark(number)
        ahead = (sequence - self.keys.backward_delta) & SEQUENCE_MASK
        self._backward_out.push(wrap_backward(self._backward_layer, cell, self.previous.circuit_id, ahead))
        return self._flush_backward()

    def end_forward(self, cell: bytes, now: float) -> tuple[list[Send], bytes | None]:
        """A cell from the previous hop at the proxy: effects, and the message that it completes."""
        number = self._forward_in.admit(header_of(cell)[1])
        if number is None:
            return [], None
        payload = self._forward_layer.remove(cell)[1]
        self._forward_in.mark(number)
        message = self._reassembler.receive(payload, now)
        return ([self.previous.credit()] if self._forward_in.consumed() else []), message

    def start_backward(self, message: CircuitMessage, max_waiting: int) -> list[Send]:
        """Send a message of the proxy to the client; at most ``max_waiting`` payloads wait for credit."""
        payloads = fragment(self._messages, encode(message))
        if len(self._backward_out) + len(payloads) > max_waiting:
            raise PathError("the client takes its answers too slowly")
        self._messages += 1
        for payload in payloads:
            self._backward_out.push(payload)
        return self._flush_start()

    def credited(self, from_previous: bool, cells: int) -> list[Send]:
        """A neighbour takes ``cells`` more."""
        if from_previous:
            self._backward_out.credited(cells)
            return self._flush_start() if self.next_side is None else self._flush_backward()
        self._forward_out.credited(cells)
        return self._flush_forward()

    def _flush_forward(self) -> list[Send]:
        assert self.next_side is not None
        effects = []
        while (cell := self._forward_out.pop()) is not None:
            effects.append(Send(self.next_side.peer, Lane.CELLS, cell))
            if self._forward_in.consumed():
                effects.append(self.previous.credit())
        return effects

    def _flush_backward(self) -> list[Send]:
        assert self.next_side is not None
        effects = []
        while (cell := self._backward_out.pop()) is not None:
            effects.append(Send(self.previous.peer, Lane.CELLS, cell))
            if self._backward_in.consumed():
                effects.append(self.next_side.credit())
        return effects

    def _flush_start(self) -> list[Send]:
        effects = []
        while (payload := self._backward_out.pop()) is not None:
            if self._cells >= MAX_CELLS:
                raise PathError("the circuit has carried as many cells as it may")
            sequence = (self.keys.backward_base + self._cells) & SEQUENCE_MASK
            self._cells += 1
            cell = self._backward_layer.add(
                self.previous.circuit_id, sequence, self._random_bytes(_ORIGIN_SLOTS), payload
            )
            effects.append(Send(self.previous.peer, Lane.CELLS, cell))
        return effects
