"""What an operator may set in ``bootstrap.toml`` in the server's data directory; read once at start."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec

from engine.errors import ConfigurationError
from engine.storage.files import read_limited

FILE = "bootstrap.toml"
IceUrl = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^(stun|stuns|turn|turns):\S+$")]
MirrorKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Secret = Annotated[str, msgspec.Meta(max_length=200)]


class IceServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One STUN or TURN server, in WebRTC's own words."""

    urls: Annotated[tuple[IceUrl, ...], msgspec.Meta(min_length=1, max_length=8)]
    username: Secret = ""
    credential: Secret = ""


class OperatorConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything has a default that fits a small public server."""

    ice_servers: Annotated[tuple[IceServer, ...], msgspec.Meta(max_length=16)] = ()
    turn: Annotated[tuple[IceUrl, ...], msgspec.Meta(max_length=8)] = ()
    """Addresses of the TURN server for which nodes get passwords of their own."""
    turn_secret_file: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    turn_credential_seconds: Annotated[int, msgspec.Meta(ge=600, le=604_800)] = 43_200
    mirrors: Annotated[tuple[MirrorKey, ...], msgspec.Meta(max_length=64)] = ()
    """Public keys of the mirrors that may introduce nodes while this server is away."""
    trusted_proxies: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()
    maximum_connections: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 4_096
    maximum_connections_per_address: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 64
    maximum_nodes_per_address: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 32
    """Listed nodes; who is listed already stays."""
    maximum_nodes_per_neighbourhood: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 64
    """Of one /24 (IPv4) or /48 (IPv6)."""
    maximum_nodes_per_prefix: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 512
    """Of one /16 (IPv4) or /32 (IPv6)."""
    maximum_nodes: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 20_000


def load_configuration(data: Path, *, loopback: bool) -> OperatorConfiguration:
    """The operator's settings; ``ConfigurationError`` names what is wrong.

    In a ``loopback`` network every node has the same address, so limits per address are lifted unless they are set.
    """
    text = read_limited(data / FILE, 65_536)
    try:
        configuration = msgspec.toml.decode(text or b"", type=OperatorConfiguration)
        for address in configuration.trusted_proxies:
            ipaddress.ip_network(address)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{data / FILE} is wrong: {error}. See the operator guide.") from error
    if loopback:
        lifted = {
            "maximum_connections_per_address": configuration.maximum_connections,
            "maximum_nodes_per_address": configuration.maximum_nodes,
            "maximum_nodes_per_neighbourhood": configuration.maximum_nodes,
            "maximum_nodes_per_prefix": configuration.maximum_nodes,
        }
        unset = {name: value for name, value in lifted.items() if name.encode() not in (text or b"")}
        configuration = msgspec.structs.replace(configuration, **unset)
    return configuration


def client_address(remote: str, forwarded_for: str, trusted: tuple[str, ...]) -> str:
    """The address a connection counts for: ``remote``, or what a trusted proxy says of it.

    Only the last entry of ``X-Forwarded-For`` counts, the one that the proxy itself added.
    """
    if not trusted or not forwarded_for:
        return remote
    try:
        peer = ipaddress.ip_address(remote.partition("%")[0])
        claimed = forwarded_for.rpartition(",")[2].strip()
        if any(peer in ipaddress.ip_network(network) for network in trusted):
            return str(ipaddress.ip_address(claimed))
    except ValueError:
        return remote
    return remote
