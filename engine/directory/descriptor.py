"""What a node says of itself: making it, and checking it before anybody believes it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.crypto.identity import Identity, node_id_of, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import DirectoryError, SignatureError, WireError
from engine.ids import NetworkId, NodeId
from engine.wire import (
    MINIMUM_PROTOCOL_VERSION,
    PROTOCOL_VERSION,
    SUITE_ED25519,
    SUITE_HPKE_MLKEM768_X25519,
    SUITE_HPKE_X25519,
    SUITE_ONION_X25519,
)
from engine.wire.codec import encode
from engine.wire.records import Descriptor, OnionKey, Parameters, SealKey, ServedModel, Signed, descriptor_decoder

PURPOSE = "descriptor"
SEALING_KEY_LENGTHS = {SUITE_HPKE_X25519: 32, SUITE_HPKE_MLKEM768_X25519: 1_216}
"""Bytes of a public key per known sealing suite; keys of suites not known here are left to those who know them."""


def make_descriptor(
    identity: Identity,
    network_id: NetworkId,
    now: float,
    *,
    started: float,
    lifetime: float,
    relay: bool = False,
    onion_keys: Sequence[OnionKey] = (),
    seal_keys: Sequence[SealKey] = (),
    models: Sequence[ServedModel] = (),
    relay_bandwidth: int = 0,
    family: str = "",
    software: str = "",
    spare_capacity: bool = True,
    signaling: str = "",
) -> Signed:
    """A descriptor signed by ``identity``, issued at ``now`` (seconds since 1970) and good for ``lifetime`` seconds
    (the genesis' ``descriptor_seconds``). ``started`` is when this engine started: requests sealed before are refused.
    """
    descriptor = Descriptor(
        suite=SUITE_ED25519,
        network_id=network_id,
        identity_key=identity.public_key,
        issued=int(now),
        expires=int(now + lifetime),
        started=int(started),
        minimum_version=MINIMUM_PROTOCOL_VERSION,
        maximum_version=PROTOCOL_VERSION,
        relay=relay,
        onion_keys=tuple(onion_keys),
        seal_keys=tuple(seal_keys),
        models=tuple(models),
        relay_bandwidth=relay_bandwidth,
        family=family,
        software=software[:100],
        spare_capacity=spare_capacity,
        signaling=signaling,
    )
    record = encode(descriptor)
    return Signed(record=record, key=identity.public_key, signature=identity.sign(PURPOSE, network_id, record))


def check_descriptor(
    signed: Signed,
    network_id: NetworkId,
    now: float,
    parameters: Parameters | None = None,
    *,
    signature_known: bool = False,
) -> Descriptor:
    """The descriptor in ``signed`` if it may be believed at ``now``; raises :class:`DirectoryError` with the reason.

    Checked are form, signature, network, suite, versions, times (2 min of skew allowed) and the sizes of all keys.
    ``parameters`` are the network's (default: those of a new genesis) and bound the lifetime. ``signature_known``: this
    reader has checked the signature of these very bytes before, so everything else is checked alone.
    """
    try:
        descriptor = descriptor_decoder.decode(signed.record)
    except WireError as error:
        raise DirectoryError(f"the descriptor cannot be read: {error}") from error
    if descriptor.network_id != network_id:
        raise DirectoryError("the descriptor is for another network")
    if descriptor.suite != SUITE_ED25519:
        raise DirectoryError(f"the descriptor has identity suite {descriptor.suite}, which is not known here")
    if descriptor.identity_key != signed.key:
        raise DirectoryError("the descriptor was signed by another key than the one it names")
    if not signature_known:
        try:
            verify(signed.key, PURPOSE, network_id, signed.signature, signed.record)
        except SignatureError as error:
            raise DirectoryError(f"the descriptor is refused: {error}") from error
    _check_versions(descriptor)
    _check_times(descriptor, now, parameters or Parameters())
    _check_keys(descriptor, now)
    _check_models(descriptor)
    return descriptor


def node_id(descriptor: Descriptor) -> NodeId:
    """The id of the node that a checked descriptor describes."""
    return node_id_of(descriptor.identity_key)


def digest(signed: Signed) -> bytes:
    """SHA-256 of the descriptor's bytes, as ``Published`` confirms it."""
    return hashlib.sha256(signed.record).digest()


def _check_versions(descriptor: Descriptor) -> None:
    low, high = descriptor.minimum_version, descriptor.maximum_version
    if low > high or high < MINIMUM_PROTOCOL_VERSION or low > PROTOCOL_VERSION:
        raise DirectoryError(
            f"the descriptor names protocol versions {low} to {high};"
            f" {MINIMUM_PROTOCOL_VERSION} to {PROTOCOL_VERSION} are spoken here"
        )


def _check_times(descriptor: Descriptor, now: float, parameters: Parameters) -> None:
    if descriptor.expires <= now:
        raise DirectoryError(f"the descriptor expired {now - descriptor.expires:.0f} s ago")
    if descriptor.issued > now + CLOCK_SKEW_SECONDS or descriptor.started > now + CLOCK_SKEW_SECONDS:
        ahead = max(descriptor.issued, descriptor.started) - now
        raise DirectoryError(f"the descriptor is from {ahead:.0f} s in the future; set this computer's clock")
    # Made at `issued` for at most the lifetime; the second holds even for one with a forged `issued`.
    if descriptor.expires - descriptor.issued > parameters.descriptor_seconds + CLOCK_SKEW_SECONDS:
        raise DirectoryError(
            f"the descriptor is good for longer than the {parameters.descriptor_seconds:.0f} s allowed"
        )
    if descriptor.expires > now + parameters.descriptor_seconds + CLOCK_SKEW_SECONDS:
        raise DirectoryError("the descriptor expires too far in the future")


def _check_keys(descriptor: Descriptor, now: float) -> None:
    for onion_key in descriptor.onion_keys:
        if onion_key.suite != SUITE_ONION_X25519:
            raise DirectoryError(f"onion suite {onion_key.suite} is not known here")
    for seal_key in descriptor.seal_keys:
        length = SEALING_KEY_LENGTHS.get(seal_key.suite, len(seal_key.key))
        if len(seal_key.key) != length:
            raise DirectoryError(f"a sealing key of suite {seal_key.suite} has {length} bytes, not {len(seal_key.key)}")
    if descriptor.relay and not any(key.expires > now for key in descriptor.onion_keys):
        raise DirectoryError("a relay needs an onion key that has not expired")
    if descriptor.models and not any(key.expires > now for key in descriptor.seal_keys):
        raise DirectoryError("a model node needs a sealing key that has not expired")


def _check_models(descriptor: Descriptor) -> None:
    names = [model.model_id for model in descriptor.models]
    if len(set(names)) != len(names):
        raise DirectoryError("the descriptor lists one model twice")
    for text in (*names, descriptor.family, descriptor.software, descriptor.signaling):
        if text and not text.isprintable():
            raise DirectoryError("the descriptor holds text that cannot be printed")
