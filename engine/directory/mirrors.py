"""Permits of mirrors: the server's word that another machine may introduce nodes in its place for a while.

A mirror signs nothing of the directory; it hands on what the server signed. What a reader has to know before it logs in
there is only that the network's operator wants this mirror, because whoever introduces sees who links with whom.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.crypto.identity import Identity, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import DirectoryError, SignatureError, WireError
from engine.ids import NetworkId
from engine.wire import SUITE_ED25519
from engine.wire.codec import encode
from engine.wire.records import Signed, signed_decoder
from engine.wire.signaling import Challenge, MirrorPermit, mirror_permit_decoder

PURPOSE = "mirror-permit"
PERMIT_SECONDS = 7 * 86_400
"""A permit holds so long; a mirror gets a new one every day while its server answers."""


def make_permit(server: Identity, network_id: NetworkId, mirror_key: bytes, now: float) -> Signed:
    """The server's permit for the mirror with this public key."""
    record = encode(
        MirrorPermit(
            suite=SUITE_ED25519,
            network_id=network_id,
            mirror_key=mirror_key,
            issued=int(now),
            expires=int(now) + PERMIT_SECONDS,
        )
    )
    return Signed(record=record, key=server.public_key, signature=server.sign(PURPOSE, network_id, record))


def check_permit(
    permit: bytes, mirror_key: bytes, server_keys: Sequence[bytes], network_id: NetworkId, now: float
) -> MirrorPermit:
    """What an encoded permit says, if ``mirror_key`` may use it at ``now``; :class:`DirectoryError` if not."""
    try:
        signed = signed_decoder.decode(permit)
        content = mirror_permit_decoder.decode(signed.record)
        if signed.key not in server_keys:
            raise SignatureError("no server of this network signed it")
        verify(signed.key, PURPOSE, network_id, signed.signature, signed.record)
    except (WireError, SignatureError) as error:
        raise DirectoryError(f"The mirror's permit is refused: {error}.") from error
    if (content.suite, content.network_id, content.mirror_key) != (SUITE_ED25519, network_id, mirror_key):
        raise DirectoryError("The mirror's permit is for another mirror or another network.")
    if not content.issued - CLOCK_SKEW_SECONDS <= now <= content.expires + CLOCK_SKEW_SECONDS:
        raise DirectoryError(
            "The mirror's permit has expired: it has not heard from the network's server for days. Try another server,"
            " or check this computer's clock."
        )
    return content


def check_challenge(challenge: Challenge, server_keys: Sequence[bytes], network_id: NetworkId, now: float) -> None:
    """:class:`DirectoryError` unless a server of this network, or a mirror that one permits, asks for a login."""
    if challenge.network_id == network_id and challenge.server_key in server_keys:
        return
    if challenge.network_id != network_id or not challenge.permit:
        raise DirectoryError(
            "The server does not have the key that this network's genesis file names. Either the address is wrong"
            " or somebody answers in the server's place; check it with the operator."
        )
    check_permit(challenge.permit, challenge.server_key, server_keys, network_id, now)
