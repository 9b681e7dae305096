"""The overlay with and without its protection, in one process: for a comparison, and nowhere else.

:func:`compose` puts other functions in the place of those that seal, open, sign and check. They do what they always do,
or, while :class:`Protection` says so, copy the bytes with zeros in the place of what sealing adds; everything keeps its
size. What was made without protection is known by its zeros, so that the parts of a network may be switched at any
moment. No engine can be configured so: the functions exist in the benchmark's processes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import engine.crypto.sida
import engine.paths.answer_receiver
import engine.paths.answer_sender
import engine.paths.forward
import engine.paths.outgoing
import engine.paths.serving
from engine.crypto import sealing, symmetric
from engine.crypto.symmetric import Aead
from engine.node.receipt_chain import ReceiptChain
from engine.node.serving_role import ServingRole, _Transcript
from engine.paths import cells
from engine.paths.cells import LayerCipher
from engine.paths.running_answer import AnswerSummary
from engine.wire.answer import Finished

_TAG = bytes(symmetric.TAG_LENGTH)
_RECORD, _SIGNATURE = bytes(400), bytes(64)
_AEAD_USERS: Sequence[Any] = (
    engine.paths.answer_sender,
    engine.paths.answer_receiver,
    engine.paths.serving,
    engine.crypto.sida,
)
"""Of one message under a key; for many there is :class:`engine.crypto.symmetric.Aead`."""


class Protection:
    """What is on. ``sealing``: of questions and answers, end to end; ``receipts``: signing and checking; ``layers``:
    around each cell, one for each relay."""

    def __init__(self) -> None:
        self.sealing = self.receipts = self.layers = True

    async def set(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``protect``."""
        self.sealing, self.receipts, self.layers = (command[name] for name in ("sealing", "receipts", "layers"))
        return {}


def compose(protection: Protection) -> None:
    """Put the functions in place, for the rest of this process's life."""
    _compose_aead(protection)
    _compose_sealing(protection)
    _compose_layers(protection)
    _compose_receipts(protection)


def _compose_aead(protection: Protection) -> None:
    real_seal, real_open, one_seal, one_open = Aead.seal, Aead.open, symmetric.aead_seal, symmetric.aead_open

    def seal(cipher: Aead, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
        return real_seal(cipher, nonce, data, associated) if protection.sealing else data + _TAG

    def open_(cipher: Aead, nonce: int, sealed: bytes, associated: bytes = b"") -> bytes:
        return sealed[: -len(_TAG)] if sealed.endswith(_TAG) else real_open(cipher, nonce, sealed, associated)

    def aead_seal(key: bytes, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
        return one_seal(key, nonce, data, associated) if protection.sealing else data + _TAG

    def aead_open(key: bytes, nonce: int, sealed: bytes, associated: bytes = b"") -> bytes:
        return sealed[: -len(_TAG)] if sealed.endswith(_TAG) else one_open(key, nonce, sealed, associated)

    Aead.seal, Aead.open = seal, open_  # type: ignore[method-assign, assignment]
    for module in _AEAD_USERS:
        for name, function in (("aead_seal", aead_seal), ("aead_open", aead_open)):
            if hasattr(module, name):
                setattr(module, name, function)


def _compose_sealing(protection: Protection) -> None:
    """HPKE: questions and their cloves."""
    real_seal, real_open = sealing.seal, sealing.SealingKey.open
    zeros = {suite: bytes(length) for suite, length in sealing.OVERHEAD.items()}

    def seal(suite: int, public: bytes, plaintext: bytes, info: bytes) -> bytes:
        return real_seal(suite, public, plaintext, info) if protection.sealing else zeros[suite] + plaintext

    def open_(key: sealing.SealingKey, sealed: bytes, info: bytes) -> bytes:
        added = zeros[key.suite]
        return sealed[len(added) :] if sealed.startswith(added) else real_open(key, sealed, info)

    for module in (engine.paths.outgoing, engine.paths.forward):
        module.seal = seal  # type: ignore[attr-defined]
    sealing.SealingKey.open = open_  # type: ignore[method-assign, assignment]


def _compose_layers(protection: Protection) -> None:
    """One symmetric layer around each cell at each relay."""
    real_add, real_remove = LayerCipher.add, LayerCipher.remove
    header, first, slots = cells.HEADER_LENGTH, cells._FIRST_END, cells._SLOTS_END

    def add(layer: LayerCipher, circuit_id: int, sequence: int, kept_slots: bytes, payload: bytes) -> bytes:
        if protection.layers:
            return real_add(layer, circuit_id, sequence, kept_slots, payload)
        return b"".join((cells._HEADER.pack(circuit_id, sequence), _TAG, kept_slots, payload))

    def remove(layer: LayerCipher, cell: bytes) -> tuple[bytes, bytes]:
        if cell[header:first] == _TAG:
            return cell[first:slots], cell[slots:]
        return real_remove(layer, cell)

    LayerCipher.add = add  # type: ignore[method-assign, assignment]
    LayerCipher.remove = remove  # type: ignore[method-assign, assignment]


def _compose_receipts(protection: Protection) -> None:
    """No checkpoints and an empty final receipt that nobody keeps, submits or checks."""
    real_due, real_sign = _Transcript.due, ServingRole._sign
    real_finished = ReceiptChain.finished

    def due(transcript: _Transcript, now: float) -> bool:
        return protection.receipts and real_due(transcript, now)

    def sign(role: ServingRole, transcript: _Transcript, **times: Any) -> tuple[bytes, bytes]:
        return real_sign(role, transcript, **times) if protection.receipts else (_RECORD, _SIGNATURE)

    def finished(chain: ReceiptChain, event: Finished, summary: AnswerSummary, ids: Sequence[int]) -> tuple[str, str]:
        return ("", "") if event.signature == _SIGNATURE else real_finished(chain, event, summary, ids)

    _Transcript.due = due  # type: ignore[method-assign, assignment]
    ServingRole._sign = sign  # type: ignore[method-assign, assignment]
    ReceiptChain.finished = finished  # type: ignore[method-assign, assignment]
