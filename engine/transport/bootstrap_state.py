"""The address of a bootstrap server, and how it stands with it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from engine.directory.genesis import parse_network_id
from engine.errors import ConfigurationError
from engine.ids import NetworkId


class Phase(enum.StrEnum):
    """How it stands with the server."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BootstrapState:
    """For the status line. ``reason`` says what happened, what it means and what to do; empty when all is well.

    ``clock_skew`` is the server's clock minus ours in seconds, None before the first login.
    """

    phase: Phase = Phase.CONNECTING
    reason: str = ""
    clock_skew: float | None = None
    published: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class BootstrapAddress:
    """``URL#NETWORKID`` taken apart; ``network_id`` is None where the fragment is missing."""

    url: str
    network_id: NetworkId | None


def parse_bootstrap(text: str) -> BootstrapAddress:
    """``http(s)://host[:port][#NETWORKID]``; raises ``ConfigurationError`` or ``DirectoryError`` (a bad network id)."""
    try:
        parts = urlsplit(text.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or len(text) > 500 or parts.query or "@" in parts.netloc:
        raise ConfigurationError(
            f"{text[:200]!r} is not the address of a bootstrap server. It looks like https://host:port#NETWORKID."
        )
    url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return BootstrapAddress(url, parse_network_id(parts.fragment) if parts.fragment else None)
