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
        self._owed = 0  # credits of the proxy for the hop before it

    def held(self) -> int:
        """Payloads and cells held in memory."""
        return len(self._forward_out) + len(self._backward_out) + len(self._reassembler)

    def waiting_backward(self) -> int:
        """Payloads or cells that wait for the previous hop's credit."""
        return len(self._backward_out)

    def expire(self, now: float) -> None:
        """Forget unfinished messages that are too old."""
        self._reassembler.expire(now)

    def pass_forward(self, cell: bytes) -> None:
        """A cell from the previous hop at a relay in the middle; it waits for its turn."""
        assert self.next_side is not None
        sequence = header_of(cell)[1]
        number = self._forward_in.admit(sequence)
        if number is None:
            return
        behind = (sequence + self.keys.forward_delta) & SEQUENCE_MASK
        filler = self._random_bytes(TAG_LENGTH)
        peeled = peel_forward(self._forward_layer, cell, self.next_side.circuit_id, behind, filler)
        self._forward_in.mark(number)
        self._forward_out.push(peeled)

    def pass_backward(self, cell: bytes) -> None:
        """A cell from the next hop; it waits for its turn."""
        sequence = header_of(cell)[1]
        number = self._backward_in.admit(sequence)
        if number is None:
            return
        self._backward_in.mark(number)
        ahead = (sequence - self.keys.backward_delta) & SEQUENCE_MASK
        self._backward_out.push(wrap_backward(self._backward_layer, cell, self.previous.circuit_id, ahead))

    def end_forward(self, cell: bytes, now: float) -> bytes | None:
        """A cell from the previous hop at the proxy: the message that it completes. Its credit waits for its turn."""
        number = self._forward_in.admit(header_of(cell)[1])
        if number is None:
            return None
        payload = self._forward_layer.remove(cell)[1]
        self._forward_in.mark(number)
        message = self._reassembler.receive(payload, now)
        self._owed += self._forward_in.consumed()
        return message

    def start_backward(self, message: CircuitMessage, max_waiting: int) -> None:
        """Queue a message of the proxy for the client; at most ``max_waiting`` payloads wait."""
        payloads = fragment(self._messages, encode(message))
        if len(self._backward_out) + len(payloads) > max_waiting:
            raise PathError("the client takes its answers too slowly")
        self._messages += 1
        for payload in payloads:
            self._backward_out.push(payload)

    def credited(self, from_previous: bool, cells: int) -> None:
        """A neighbour takes ``cells`` more."""
        (self._backward_out if from_previous else self._forward_out).credited(cells)

    def link_of(self, backward: bool) -> NodeId:
        """The link for which this direction takes turns; forwards a proxy has only credit for the hop before it."""
        return self.previous.peer if backward or self.next_side is None else self.next_side.peer

    def is_ready(self, backward: bool) -> bool:
        """Whether something in this direction waits for nothing but its turn."""
        if backward:
            return self._backward_out.ready
        return self._owed > 0 if self.next_side is None else self._forward_out.ready

    def take_turn(self, backward: bool) -> list[Send]:
        """The next cell in this direction, if one may leave, and the credit that it earns the side behind it."""
        if self.next_side is None:
            return self._next_of_start() if backward else self._next_credit()
        window, side, behind, consumed = (
            (self._backward_out, self.previous, self.next_side, self._backward_in)
            if backward
            else (self._forward_out, self.next_side, self.previous, self._forward_in)
        )
        cell = window.pop()
        if cell is None:
            return []
        credit = [behind.credit()] if consumed.consumed() else []
        return [Send(side.peer, Lane.CELLS, cell), *credit]

    def _next_credit(self) -> list[Send]:
        if not self._owed:
            return []
        self._owed -= 1
        return [self.previous.credit()]

    def _next_of_start(self) -> list[Send]:
        payload = self._backward_out.pop()
        if payload is None:
            return []
        if self._cells >= MAX_CELLS:
            raise PathError("the circuit has carried as many cells as it may")
        sequence = (self.keys.backward_base + self._cells) & SEQUENCE_MASK
        self._cells += 1
        filler = self._random_bytes(_ORIGIN_SLOTS)
        cell = self._backward_layer.add(self.previous.circuit_id, sequence, filler, payload)
        return [Send(self.previous.peer, Lane.CELLS, cell)]
