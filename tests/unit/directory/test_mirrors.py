"""A mirror's permit: for one mirror of one network, by its server, for a week."""

from __future__ import annotations

import msgspec
import pytest

from engine.directory.mirrors import PERMIT_SECONDS, check_challenge, check_permit, make_permit
from engine.errors import DirectoryError
from engine.wire.codec import encode
from engine.wire.signaling import Challenge
from tests.support.records import NOW, SERVER, genesis, identity

GENESIS = genesis()
NETWORK, KEYS = GENESIS.network_id, GENESIS.genesis.server_keys
MIRROR, OTHER = identity(1), identity(2)
PERMIT = encode(make_permit(SERVER, NETWORK, MIRROR.public_key, NOW))
CHALLENGE = Challenge(NETWORK, MIRROR.public_key, b"n" * 32, 1, 1, PERMIT)


def test_a_permit_holds_for_a_week() -> None:
    for now in (NOW - 119, NOW, NOW + PERMIT_SECONDS + 119):
        check_permit(PERMIT, MIRROR.public_key, KEYS, NETWORK, now)
        check_challenge(CHALLENGE, KEYS, NETWORK, now)
    for now in (NOW - 122, NOW + PERMIT_SECONDS + 122):
        with pytest.raises(DirectoryError, match="expired"):
            check_permit(PERMIT, MIRROR.public_key, KEYS, NETWORK, now)


@pytest.mark.parametrize(
    ("permit", "said"),
    [
        (encode(make_permit(OTHER, NETWORK, MIRROR.public_key, NOW)), "no server of this network"),
        (encode(make_permit(SERVER, NETWORK, OTHER.public_key, NOW)), "another mirror"),
        (encode(make_permit(SERVER, b"z" * 32, MIRROR.public_key, NOW)), "signature"),
        (PERMIT[:-1] + bytes([PERMIT[-1] ^ 1]), "signature"),
        (b"nonsense", "refused"),
    ],
)
def test_others_are_refused(permit: bytes, said: str) -> None:
    with pytest.raises(DirectoryError, match=said):
        check_challenge(msgspec.structs.replace(CHALLENGE, permit=permit), KEYS, NETWORK, NOW)


def test_a_server_needs_none_and_a_stranger_has_none() -> None:
    own = Challenge(NETWORK, SERVER.public_key, b"n" * 32, 1, 1)
    check_challenge(own, KEYS, NETWORK, NOW)
    for changes in ({"server_key": OTHER.public_key}, {"network_id": b"z" * 32}):
        with pytest.raises(DirectoryError, match="in the server's place"):
            check_challenge(msgspec.structs.replace(own, **changes), KEYS, NETWORK, NOW)
    with pytest.raises(DirectoryError, match="in the server's place"):
        check_challenge(msgspec.structs.replace(CHALLENGE, network_id=b"z" * 32), KEYS, NETWORK, NOW)
