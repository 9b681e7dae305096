"""Control messages about the engine as a whole: which network it is in, and its end."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.api.schema.base import ControlEvent, ControlRequest

Reference = Annotated[str, Meta(max_length=64)]


class JoinNetwork(ControlRequest, frozen=True, kw_only=True, tag="join_network"):
    """Be in the network that ``text`` names, an invitation or an address as for ``--bootstrap``, from the engine's next
    start on. :class:`NetworkKept` or ``RequestFailed`` follows."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    ref: Reference = ""


class LeaveNetwork(ControlRequest, frozen=True, kw_only=True, tag="leave_network"):
    """Be in no network from the engine's next start on. :class:`NetworkKept` or ``RequestFailed`` follows."""

    ref: Reference = ""


class Shutdown(ControlRequest, frozen=True, kw_only=True, tag="shutdown"):
    """Stop the whole engine, cleanly. The socket closes with ``CLOSE_STOPPING``. ``when_idle``: once no answer to the
    owner is being made; ``State.stopping`` is true until then. ``unless_another``: of a client that leaves; the engine
    goes on, which ``Accepted`` says, while another one is connected that greeted as the same (``Hello.client``)."""

    when_idle: bool = False
    unless_another: bool = False
    ref: Reference = ""


class NetworkKept(ControlEvent, frozen=True, kw_only=True, tag="network_kept"):
    """``address``: of the network from the next start on; empty: none."""

    ref: str
    address: str


__all__ = [
    "JoinNetwork",
    "LeaveNetwork",
    "NetworkKept",
    "Shutdown",
]
