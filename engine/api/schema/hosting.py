"""Control messages about a network that this machine hosts: its bootstrap server, and who is invited."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ControlRequest, Worded

Reach = Literal["machine", "local", "internet"]
"""From where a hosted network can be joined: from this machine, from the local network, from everywhere."""
NodeText = Annotated[str, Meta(max_length=64)]


class NetworkRequest(ControlRequest, frozen=True, kw_only=True):
    """Base of requests about the network that have one reply with their ``ref``."""

    ref: Annotated[str, Meta(max_length=64)] = ""


class GetHosting(NetworkRequest, frozen=True, kw_only=True, tag="get_hosting"):
    """Answered by ``Hosting``."""


class HostNetwork(NetworkRequest, frozen=True, kw_only=True, tag="host_network"):
    """Run the bootstrap server of a network on this machine, now and at every start of the engine. ``name``: of a new
    network, which is made if none was made here before; "" starts the one that was. ``url``: under which others reach
    this machine, for the reach "internet" ("http://HOST:PORT"); for the others it is found. ``join``: this engine is to
    be in it from its next start on; ``NetworkKept`` tells so before the reply. Answered by ``Hosting`` once nodes can
    join."""

    name: Annotated[str, Meta(max_length=200)] = ""
    private: bool = True
    reach: Reach = "local"
    url: Annotated[str, Meta(max_length=300)] = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8900
    join: bool = True


class StopHosting(NetworkRequest, frozen=True, kw_only=True, tag="stop_hosting"):
    """End the server, also for later starts of the engine. What it has kept stays. Answered by ``Hosting``."""


class MakeInvitation(NetworkRequest, frozen=True, kw_only=True, tag="make_invitation"):
    """Make an invitation for one engine to the private network that is hosted here. It must be used for the first time
    within ``seconds``; the membership ends after ``member_seconds`` (0: never). ``bound``: good for these ids only, the
    two of an engine; the one who is invited finds them as ``Hosting.ids``. Answered by ``InvitationMade``."""

    label: Annotated[str, Meta(max_length=100)] = ""
    seconds: Annotated[float, Meta(ge=60, le=31_536_000)] = 259_200.0
    member_seconds: Annotated[float, Meta(ge=0, le=3_153_600_000)] = 0.0
    bound: Annotated[tuple[NodeText, ...], Meta(max_length=2)] = ()


class RevokeInvitation(NetworkRequest, frozen=True, kw_only=True, tag="revoke_invitation"):
    """End an invitation and the membership that came of it. Answered by ``Hosting``."""

    invitation: Annotated[str, Meta(min_length=1, max_length=32)]


class HostedInvitation(Struct, frozen=True, kw_only=True):
    """An invitation as the server keeps it: never its text, which whoever has it can use. ``bound``: it is good for
    certain ids only. ``expires``, ``until``: seconds since 1970; 0: never."""

    invitation: str
    label: str = ""
    status: Literal["open", "in_use", "expired", "ended", "revoked"] = "open"
    created: float = 0.0
    expires: float = 0.0
    until: float = 0.0
    bound: bool = False
    node: str = ""
    own: bool = False


class Hosting(ControlEvent, Worded, frozen=True, kw_only=True, tag="hosting"):
    """The network that this machine hosts. Told to all clients after every change, then without ``ref``.

    ``status``: "none", no network was made here; "off", the server does not run and is not wanted; "starting";
    "running"; "elsewhere", a server that this engine has not started runs on it; "failed", for the ``reason``, and it
    is tried again. ``address``: what others join with. ``local_address``: of this machine in its own network, ""
    without one. ``ids``: of this engine, for those who invite it."""

    ref: str = ""
    status: Literal["none", "off", "starting", "running", "elsewhere", "failed"] = "none"
    reason: str = ""
    name: str = ""
    network_id: str = ""
    private: bool = True
    reach: Reach = "local"
    url: str = ""
    address: str = ""
    port: int = 8900
    local_address: str = ""
    ids: tuple[str, ...] = ()
    invitations: tuple[HostedInvitation, ...] = ()


class InvitationMade(ControlEvent, frozen=True, kw_only=True, tag="invitation_made"):
    """The ``text`` is told once and kept nowhere: whoever has it first can join."""

    ref: str
    text: str
    invitation: HostedInvitation


AnyHostingRequest = GetHosting | HostNetwork | StopHosting | MakeInvitation | RevokeInvitation
AnyHostingEvent = Hosting | InvitationMade

__all__ = [
    "AnyHostingEvent",
    "AnyHostingRequest",
    "GetHosting",
    "HostNetwork",
    "HostedInvitation",
    "Hosting",
    "InvitationMade",
    "MakeInvitation",
    "NetworkRequest",
    "Reach",
    "RevokeInvitation",
    "StopHosting",
]
