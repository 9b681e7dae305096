"""STUN and TURN for logged-in nodes: which servers there are, and passwords that last for hours.

The password follows from the user name and a secret that only this server and the TURN server know ("TURN REST API",
draft-uberti-behave-turn-rest-00, ``use-auth-secret`` of coturn), so nothing about nodes has to be stored there. The
user name holds the expiry and a pseudonym that is the same for all logins of one node: coturn counts its quotas by it.
Passwords go to nodes that have logged in, few to one address: a stranger who makes up identities gets no more relayed
traffic for it than one address may have.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.limits import TokenBucket
from engine.errors import ConfigurationError, StorageError
from engine.ids import NodeId
from engine.storage.files import read_limited
from engine.transport.ice_servers import parse_ice_url
from engine.wire.signaling import IceEntry, IceServers

SECRET_VARIABLE = "GENTORRENT_TURN_SECRET"  # noqa: S105 - the name of a variable
MINIMUM_SECRET = 16
ISSUE_RATE, ISSUE_BURST = 1 / 60, 5.0
"""Passwords per second for one session; nodes ask at half of their life."""
ADDRESS_RATE, ADDRESS_BURST = 1 / 60, 200.0
"""Passwords per second for one address (IPv6: /64), all its nodes together."""
_MAXIMUM_ADDRESSES = 20_000


@dataclass(frozen=True, slots=True)
class TurnAccess:
    """What the operator said about TURN: ``urls`` of the server, the shared ``secret``, seconds that passwords last."""

    urls: tuple[str, ...]
    secret: bytes
    seconds: int

    def __repr__(self) -> str:
        return f"TurnAccess(urls={self.urls!r}, seconds={self.seconds})"


def turn_access(
    configuration: OperatorConfiguration,
    urls: tuple[str, ...],
    secret_file: Path | None,
    environment: Mapping[str, str],
) -> TurnAccess | None:
    """Options before settings, the file before the variable; None without TURN. ``ConfigurationError`` says why not."""
    chosen = urls or configuration.turn
    for text in chosen:
        if parse_ice_url(text).kind != "turn":
            raise ConfigurationError(f"{text!r} is the address of a STUN server; --turn wants turn:HOST or turns:HOST.")
    path = secret_file or (Path(configuration.turn_secret_file) if configuration.turn_secret_file else None)
    secret = _read_secret(path) if path is not None else environment.get(SECRET_VARIABLE, "").strip()
    if not chosen:
        if path is not None:
            raise ConfigurationError("There is a secret for a TURN server but no address of one. Add --turn URL.")
        return None
    if len(secret) < MINIMUM_SECRET:
        raise ConfigurationError(
            f"The TURN server's shared secret is {'missing' if not secret else 'too short'}, so nodes could not be "
            f"given passwords. Write at least {MINIMUM_SECRET} characters, the same as static-auth-secret of coturn, "
            f"into a file and name it with --turn-secret-file, or set {SECRET_VARIABLE}."
        )
    return TurnAccess(chosen, secret.encode("utf-8"), configuration.turn_credential_seconds)


def _read_secret(path: Path) -> str:
    try:
        data = read_limited(path, 1024)
    except StorageError as error:
        raise ConfigurationError(f"The TURN server's secret cannot be read: {error}") from error
    if data is None:
        raise ConfigurationError(f"The TURN server's secret is not at {path}. Correct --turn-secret-file.")
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The TURN server's secret in {path} is not text.") from error


def turn_credentials(secret: bytes, node_id: NodeId, expires: int) -> tuple[str, str]:
    """User name ``EXPIRES:PSEUDONYM`` and its password, base64(HMAC-SHA1(secret, user name))."""
    pseudonym = hmac.digest(secret, b"gentorrent/turn-pseudonym/v1" + node_id, "sha256")[:10]
    username = f"{expires}:{base64.b32encode(pseudonym).decode('ascii').lower()}"
    # SHA-1 is what the scheme prescribes; as a MAC it is not broken.
    password = hmac.new(secret, username.encode("ascii"), hashlib.sha1).digest()
    return username, base64.b64encode(password).decode("ascii")


class IceIssuer:
    """Answers nodes that ask for their servers."""

    def __init__(self, configuration: OperatorConfiguration, access: TurnAccess | None) -> None:
        self._plain: tuple[IceEntry, ...] = tuple(
            (server.urls, server.username, server.credential) for server in configuration.ice_servers
        )
        self._access = access
        self._addresses: OrderedDict[str, TokenBucket] = OrderedDict()

    def issue(self, node_id: NodeId, address_key: str, session: TokenBucket, wall: float, now: float) -> IceServers:
        """The servers for one node. Where it, or its address, asks too often, the TURN server is missing and
        ``problem`` says so."""
        if self._access is None:
            return IceServers(servers=self._plain, expires=0)
        if not (session.take(now) and self._address(address_key, now).take(now)):
            return IceServers(
                servers=self._plain, expires=0, problem="too many TURN passwords were asked for from here; wait"
            )
        expires = int(wall) + self._access.seconds
        username, password = turn_credentials(self._access.secret, node_id, expires)
        own: IceEntry = (self._access.urls, username, password)
        return IceServers(servers=(*self._plain, own), expires=expires)

    def _address(self, key: str, now: float) -> TokenBucket:
        bucket = self._addresses.get(key)
        if bucket is None:
            bucket = self._addresses[key] = TokenBucket(ADDRESS_RATE, ADDRESS_BURST, now)
        self._addresses.move_to_end(key)
        if len(self._addresses) > _MAXIMUM_ADDRESSES:
            self._addresses.popitem(last=False)
        return bucket
