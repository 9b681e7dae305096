"""Which bytes the login to a bootstrap server signs, for both sides (see ``engine.wire.signaling``)."""

from __future__ import annotations

from engine.crypto.identity import Identity, node_id_of, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.invite import Invitation, show_grant
from engine.errors import LoginRefusedError, SignatureError
from engine.sentences import say
from engine.wire import MINIMUM_PROTOCOL_VERSION, PROTOCOL_VERSION, SUITE_ED25519
from engine.wire.signaling import Challenge, Login, Welcome

LOGIN_SECONDS = 60
"""A login is good for this long after it was signed."""


def make_login(
    identity: Identity,
    challenge: Challenge,
    nonce: bytes,
    now: float,
    *,
    client_only: bool,
    software: str,
    invitation: Invitation | None = None,
) -> Login:
    """The answer to ``challenge``; ``nonce`` are 32 fresh random bytes, ``now`` is in seconds since 1970.
    ``invitation``: what a private network wants to see."""
    shown = show_grant(invitation, challenge.nonce, nonce, identity.node_id) if invitation else (b"", b"")
    version = min(PROTOCOL_VERSION, challenge.maximum_version)
    if version < max(MINIMUM_PROTOCOL_VERSION, challenge.minimum_version):
        raise LoginRefusedError(
            say(
                "server.versions",
                least=challenge.minimum_version,
                most=challenge.maximum_version,
                own_least=MINIMUM_PROTOCOL_VERSION,
                own_most=PROTOCOL_VERSION,
            )
        )
    expires = int(now) + LOGIN_SECONDS
    fields = (challenge.nonce, nonce, challenge.server_key, identity.node_id, expires.to_bytes(8, "big"))
    return Login(
        version=version,
        suite=SUITE_ED25519,
        identity_key=identity.public_key,
        nonce=nonce,
        expires=expires,
        client_only=client_only,
        software=software[:100],
        signature=identity.sign("login", challenge.network_id, *fields),
        grant=shown[0],
        grant_proof=shown[1],
    )


def check_login(login: Login, challenge: Challenge, now: float) -> None:
    """Raise :class:`LoginRefusedError`, with the reason that the node is told, unless the login is good."""
    if not challenge.minimum_version <= login.version <= challenge.maximum_version:
        raise LoginRefusedError(
            f"protocol version {login.version} is not spoken here: this server takes {challenge.minimum_version} to"
            f" {challenge.maximum_version}; update the older of the two"
        )
    if login.suite != SUITE_ED25519:
        raise LoginRefusedError(f"identity suite {login.suite} is not known here")
    skew = login.expires - LOGIN_SECONDS - now
    if not -CLOCK_SKEW_SECONDS - LOGIN_SECONDS <= skew <= CLOCK_SKEW_SECONDS:
        direction = "ahead of" if skew > 0 else "behind"
        raise LoginRefusedError(
            f"your clock is about {abs(skew):.0f} s {direction} the server's; {CLOCK_SKEW_SECONDS:.0f} s are"
            " tolerated; set this computer's clock"
        )
    node_id = node_id_of(login.identity_key)
    fields = (challenge.nonce, login.nonce, challenge.server_key, node_id, login.expires.to_bytes(8, "big"))
    try:
        verify(login.identity_key, "login", challenge.network_id, login.signature, *fields)
    except SignatureError as error:
        raise LoginRefusedError("the signature of the login does not verify") from error


def sign_welcome(server: Identity, challenge: Challenge, login: Login) -> bytes:
    """The server's proof, over both nonces and the node id, that it holds the key it named."""
    node_id = node_id_of(login.identity_key)
    return server.sign("welcome", challenge.network_id, challenge.nonce, login.nonce, node_id)


def check_welcome(welcome: Welcome, challenge: Challenge, login: Login) -> None:
    """Raise ``SignatureError`` unless the server signed this login's nonces with the key in its challenge."""
    node_id = node_id_of(login.identity_key)
    fields = (challenge.nonce, login.nonce, node_id)
    verify(challenge.server_key, "welcome", challenge.network_id, welcome.signature, *fields)
