"""STUN and TURN servers: their addresses as operators write them, and the two that a connection uses.

The WebRTC library takes one STUN and one TURN server per connection and waits 5 s for one that does not answer, so it
is given exactly the ones that were found to work (``engine.transport.probes``, ``engine.transport.connectivity``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import ConfigurationError

Transport = Literal["udp", "tcp", "tls"]
"""How a TURN server is reached. What it relays is always UDP."""

TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")
"""In the order in which they are preferred: a stream makes lost packets late instead of lost."""

MAXIMUM_URLS = 32
"""Addresses used of one list; what comes after them is left out."""

_URL = re.compile(
    r"(?P<scheme>stun|turns?):(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class IceUrl:
    """The address of a STUN server, or of a TURN server by one transport (RFC 7064, RFC 7065)."""

    kind: Literal["stun", "turn"]
    host: str
    port: int
    transport: Transport = "udp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.kind == "stun":
            return f"stun:{host}:{self.port}"
        if self.transport == "tls":
            return f"turns:{host}:{self.port}?transport=tcp"
        return f"turn:{host}:{self.port}?transport={self.transport}"


@dataclass(frozen=True, slots=True)
class TurnServer:
    """A TURN server by one transport, and who we are to it."""

    url: IceUrl
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class IceServers:
    """What a connection uses: at most one of each."""

    stun: IceUrl | None = None
    turn: TurnServer | None = None


@dataclass(frozen=True, slots=True)
class OfferedServers:
    """All servers that the operator of a network offers to one node; ``expires`` is when its credentials do (seconds
    since 1970; infinite where they do not)."""

    stun: tuple[IceUrl, ...] = ()
    turn: tuple[TurnServer, ...] = ()
    expires: float = float("inf")

    def stun_targets(self) -> tuple[IceUrl, ...]:
        """Everything that answers a STUN question over UDP: a TURN server does, too."""
        also = (
            IceUrl("stun", server.url.host, server.url.port) for server in self.turn if server.url.transport == "udp"
        )
        return tuple(dict.fromkeys((*self.stun, *also)))


def parse_ice_url(text: str) -> IceUrl:
    """The address in ``text``: ``stun:HOST[:PORT]``, ``turn:HOST[:PORT][?transport=udp|tcp]`` or
    ``turns:HOST[:PORT][?transport=tcp]``; an IPv6 address stands in brackets.

    Raises ``ConfigurationError``, which says what is wrong. DTLS (``turns:`` over UDP) and ``stuns:`` are not used.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"{text[:100]!r} is not the address of a STUN or TURN server. Write stun:HOST:PORT, "
            "turn:HOST:PORT?transport=udp, turn:HOST:PORT?transport=tcp or turns:HOST:PORT."
        )
    scheme, transport = match["scheme"], match["transport"]
    if scheme == "stun" and transport is not None:
        raise ConfigurationError(f"{text[:100]!r}: the address of a STUN server names no transport. Leave it out.")
    if scheme == "turns" and transport == "udp":
        raise ConfigurationError(f"{text[:100]!r}: TURN with encryption is only used over TCP. Write ?transport=tcp.")
    port = int(match["port"]) if match["port"] else (5349 if scheme == "turns" else 3478)
    if not 1 <= port <= 65_535:
        raise ConfigurationError(f"{text[:100]!r}: a port is a number from 1 to 65535.")
    host = match["host"]
    if host.startswith("["):
        host = _literal(host[1:-1], text)
    if scheme == "stun":
        return IceUrl("stun", host, port)
    return IceUrl("turn", host, port, "tls" if scheme == "turns" else "tcp" if transport == "tcp" else "udp")


def _literal(host: str, text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError as error:
        raise ConfigurationError(f"{text[:100]!r}: what stands in brackets is not an IPv6 address.") from error


def entries_of(offered: OfferedServers) -> list[tuple[list[str], str, str]]:
    """What :func:`usable_servers` makes ``offered`` of again."""
    stun = [([str(url)], "", "") for url in offered.stun]
    return stun + [([str(server.url)], server.username, server.credential) for server in offered.turn]


def usable_servers(entries: Iterable[tuple[Sequence[str], str, str]], expires: float = float("inf")) -> OfferedServers:
    """What this engine can use of a server's list of ``(urls, username, credential)``; the rest is left out, as the
    list comes from outside and may name kinds that are not spoken here."""
    stun: dict[IceUrl, None] = {}
    turn: dict[IceUrl, TurnServer] = {}
    for urls, username, credential in entries:
        for text in urls:
            try:
                url = parse_ice_url(text)
            except ConfigurationError:
                continue
            if len(stun) + len(turn) >= MAXIMUM_URLS:
                break
            if url.kind == "stun":
                stun[url] = None
            else:
                turn.setdefault(url, TurnServer(url, username, credential))
    return OfferedServers(tuple(stun), tuple(turn.values()), expires)
