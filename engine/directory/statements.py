"""Statements of an identity about itself: that it is over (revocation), and who takes its place (succession).

Both are records that the identity's own key signed, so a server can pass them on and withhold them, and not invent
them. They outlive the descriptor: a revoked or succeeded id is never listed again.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.crypto.identity import Identity, node_id_of, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import DirectoryError, SignatureError, WireError
from engine.ids import NetworkId, NodeId
from engine.wire import SUITE_ED25519
from engine.wire.codec import Decoder, encode
from engine.wire.records import Revocation, Signed, Succession

REVOCATION, SUCCESSION, CONSENT = "revocation", "succession", "succession-consent"
_decoder: Decoder[Revocation | Succession] = Decoder(Revocation | Succession)


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked statement: ``node_id`` is over; ``successor``, if there is one, takes its place."""

    signed: Signed
    node_id: NodeId
    successor: NodeId | None
    issued: int


def make_revocation(identity: Identity, network_id: NetworkId, now: float) -> Signed:
    """Ends ``identity`` in this network for good. It may be made long before it is needed, and kept elsewhere."""
    record = encode(
        Revocation(suite=SUITE_ED25519, network_id=network_id, identity_key=identity.public_key, issued=int(now))
    )
    return Signed(record=record, key=identity.public_key, signature=identity.sign(REVOCATION, network_id, record))


def make_succession(old: Identity, new: Identity, network_id: NetworkId, now: float) -> Signed:
    """``new`` takes the place of ``old``: its standing (first seen, availability) moves on."""
    consent = new.sign(CONSENT, network_id, old.public_key, new.public_key, int(now).to_bytes(8, "big"))
    record = encode(
        Succession(
            suite=SUITE_ED25519,
            network_id=network_id,
            old_key=old.public_key,
            new_key=new.public_key,
            issued=int(now),
            consent=consent,
        )
    )
    return Signed(record=record, key=old.public_key, signature=old.sign(SUCCESSION, network_id, record))


def check_statement(signed: Signed, network_id: NetworkId, now: float) -> Statement:
    """What ``signed`` states, if it may be believed at ``now``; :class:`DirectoryError` with the reason if not."""
    try:
        record = _decoder.decode(signed.record)
    except WireError as error:
        raise DirectoryError(f"the statement cannot be read: {error}") from error
    key = record.identity_key if isinstance(record, Revocation) else record.old_key
    if record.network_id != network_id or record.suite != SUITE_ED25519:
        raise DirectoryError("the statement is for another network or of an unknown suite")
    if key != signed.key:
        raise DirectoryError("the statement was signed by another key than the one it is about")
    if record.issued > now + CLOCK_SKEW_SECONDS:
        raise DirectoryError("the statement is from the future; set this computer's clock")
    try:
        if isinstance(record, Revocation):
            verify(key, REVOCATION, network_id, signed.signature, signed.record)
            return Statement(signed, node_id_of(key), None, record.issued)
        verify(key, SUCCESSION, network_id, signed.signature, signed.record)
        fields = record.old_key, record.new_key, record.issued.to_bytes(8, "big")
        verify(record.new_key, CONSENT, network_id, record.consent, *fields)
    except SignatureError as error:
        raise DirectoryError(f"the statement is refused: {error}") from error
    if record.new_key == record.old_key:
        raise DirectoryError("an identity cannot take its own place")
    return Statement(signed, node_id_of(key), node_id_of(record.new_key), record.issued)
