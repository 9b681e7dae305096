"""Cells: the fixed-size unit that circuits carry, one symmetric layer per relay. Not how messages are cut into them.

    circuit id 8 | sequence 4 | three tag slots 16 each | payload 1100

The tag of a layer is the AEAD's own (ChaCha20-Poly1305, nonce = sequence, associated data = circuit id and sequence on
the link towards that relay); it covers the payload, not the other slots. Forward a relay checks the first slot, moves
the rest up and fills the last with random bytes; backward it prepends its own and drops the last. The slots that it
moves it also encrypts (keystream under another nonce), so that nothing seen on one link is seen on another.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from engine.errors import SealError
from engine.ids import CircuitId

TAG_LENGTH: Final = 16
TAG_SLOTS: Final = 3
PAYLOAD_LENGTH: Final = 1100
HEADER_LENGTH: Final = 12
CELL_LENGTH: Final = HEADER_LENGTH + TAG_SLOTS * TAG_LENGTH + PAYLOAD_LENGTH
"""1,160 bytes: what fits one SCTP packet over DTLS."""

SEQUENCE_MASK: Final = 0xFFFF_FFFF
MAX_CELLS: Final = 1 << 24
"""Per circuit and direction; a circuit ends before a number could come twice."""

_HEADER = struct.Struct(">QI")
_NONCE = struct.Struct(">QI")
_MASK = 1
"""First half of the nonce of the keystream for the other tag slots; 0 for payloads."""
_OTHER_SLOTS = (TAG_SLOTS - 1) * TAG_LENGTH
_FIRST_END = HEADER_LENGTH + TAG_LENGTH
_KEPT_END = _FIRST_END - TAG_LENGTH + _OTHER_SLOTS
_SLOTS_END = HEADER_LENGTH + TAG_SLOTS * TAG_LENGTH
_ZEROS = bytes(_OTHER_SLOTS)


def header_of(cell: bytes) -> tuple[CircuitId, int]:
    """Circuit id and sequence of a cell; the caller has checked its length."""
    circuit_id, sequence = _HEADER.unpack_from(cell)
    return CircuitId(circuit_id), sequence


class LayerCipher:
    """One relay's layer in one direction of one circuit."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)

    def _masked(self, sequence: int, slots: bytes) -> bytes:
        stream = self._aead.encrypt(_NONCE.pack(_MASK, sequence), _ZEROS, None)[:_OTHER_SLOTS]
        return (int.from_bytes(slots, "big") ^ int.from_bytes(stream, "big")).to_bytes(_OTHER_SLOTS, "big")

    def add(self, circuit_id: int, sequence: int, kept_slots: bytes, payload: bytes) -> bytes:
        """A cell with this layer around ``payload`` (1,100 bytes) and the two slots (32 bytes) of the layer inside."""
        header = _HEADER.pack(circuit_id, sequence)
        sealed = self._aead.encrypt(_NONCE.pack(0, sequence), payload, header)
        return b"".join((header, sealed[PAYLOAD_LENGTH:], self._masked(sequence, kept_slots), sealed[:PAYLOAD_LENGTH]))

    def remove(self, cell: bytes) -> tuple[bytes, bytes]:
        """The two slots (32 bytes) and the payload under this layer. Raises ``SealError``."""
        sequence = _HEADER.unpack_from(cell)[1]
        try:
            payload = self._aead.decrypt(
                _NONCE.pack(0, sequence), cell[_SLOTS_END:] + cell[HEADER_LENGTH:_FIRST_END], cell[:HEADER_LENGTH]
            )
        except InvalidTag as error:
            raise SealError("the tag of a cell is wrong") from error
        return self._masked(sequence, cell[_FIRST_END:_SLOTS_END]), payload


def peel_forward(layer: LayerCipher, cell: bytes, next_circuit: int, next_sequence: int, filler: bytes) -> bytes:
    """A relay's work on a cell towards the proxy; ``filler`` is 16 random bytes. Raises ``SealError``."""
    slots, payload = layer.remove(cell)
    return b"".join((_HEADER.pack(next_circuit, next_sequence), slots, filler, payload))


def wrap_backward(layer: LayerCipher, cell: bytes, previous_circuit: int, previous_sequence: int) -> bytes:
    """A relay's work on a cell towards the client."""
    return layer.add(previous_circuit, previous_sequence, cell[HEADER_LENGTH:_KEPT_END], cell[_SLOTS_END:])


def seal_layers(
    layers: Sequence[LayerCipher], headers: Sequence[tuple[int, int]], filler: bytes, payload: bytes
) -> bytes:
    """The client's cell: all layers, outermost first; ``headers`` are (circuit id, sequence) on the link of each.

    ``filler`` is 32 random bytes, ``payload`` has 1,100.
    """
    slots, cell = filler, b""
    for layer, (circuit_id, sequence) in zip(reversed(layers), reversed(headers), strict=True):
        cell = layer.add(circuit_id, sequence, slots, payload)
        slots, payload = cell[HEADER_LENGTH:_KEPT_END], cell[_SLOTS_END:]
    return cell


def open_layers(layers: Sequence[LayerCipher], headers: Sequence[tuple[int, int]], cell: bytes) -> bytes:
    """The payload that the proxy sent. Raises ``SealError``."""
    slots_and_payload = cell[HEADER_LENGTH:]
    payload = b""
    for layer, (circuit_id, sequence) in zip(layers, headers, strict=True):
        slots, payload = layer.remove(_HEADER.pack(circuit_id, sequence) + slots_and_payload)
        slots_and_payload = slots + bytes(TAG_LENGTH) + payload
    return payload
