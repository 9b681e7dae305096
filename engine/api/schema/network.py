"""Control messages about the part of the network that this machine sees: its own links, paths and groups."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ControlRequest

MOST_LINKS = 1024
MOST_PATHS = 256
MOST_MEMBERS = 1024
"""Of each kind in one ``Topology``; what is left out is counted."""
TOPOLOGY_SECONDS = 1.0
"""No two pictures come sooner after each other while one watches."""
Reference = Annotated[str, Meta(max_length=64)]


class WatchTopology(ControlRequest, frozen=True, kw_only=True, tag="watch_topology"):
    """Send ``Topology`` now and, while ``on``, whenever it is another one, at most once a second. ``chat``: a kept
    chat whose paths are to be marked; "" for none. The newest request of a connection counts."""

    on: bool
    chat: Annotated[str, Meta(max_length=64)] = ""
    ref: Reference = ""


class OwnLink(Struct, frozen=True, kw_only=True):
    """A link of this machine. ``holder``: as whom it is held, "client" for own questions or "node" for what it does for
    others. ``relayed``: through a TURN server. ``round_trip_ms``: 0 while not known."""

    peer: str
    holder: Literal["client", "node"]
    round_trip_ms: float = 0.0
    relayed: bool = False


class OwnPath(Struct, frozen=True, kw_only=True):
    """A path for own questions, by its relays, the guard first. "spare": ready for the next chat; "chat": of some chat;
    "open": of the chat that was asked for. ``busy``: an answer comes over it now."""

    relays: tuple[str, ...]
    use: Literal["spare", "chat", "open"] = "spare"
    busy: bool = False
    round_trip_ms: float = 0.0


class GroupMember(Struct, frozen=True, kw_only=True):
    """A machine that serves a model which this one serves, too, as it has told. ``here``: it is this machine.
    ``standing``: in [0, 1]; who has none yet is not ``established``."""

    node: str
    model: str
    here: bool = False
    running: int = 0
    waiting: int = 0
    slots: int = 1
    round_trip_ms: float = 0.0
    standing: float = 1.0
    established: bool = True
    accepts: bool = True


class Topology(ControlEvent, frozen=True, kw_only=True, tag="topology"):
    """What this machine's own engine knows of its links, paths and groups at one moment. It is for its owner: it ties
    what is asked here to what is done for others, so it is neither stored nor sent anywhere."""

    ref: Reference = ""
    links: tuple[OwnLink, ...] = ()
    paths: tuple[OwnPath, ...] = ()
    members: tuple[GroupMember, ...] = ()
    links_left_out: int = 0
    paths_left_out: int = 0
    members_left_out: int = 0


AnyNetworkRequest = WatchTopology
AnyNetworkEvent = Topology

__all__ = [
    "MOST_LINKS",
    "MOST_MEMBERS",
    "MOST_PATHS",
    "TOPOLOGY_SECONDS",
    "AnyNetworkEvent",
    "AnyNetworkRequest",
    "GroupMember",
    "OwnLink",
    "OwnPath",
    "Topology",
    "WatchTopology",
]
