"""Control messages about what is wrong with this machine's connection, and what to change."""

from __future__ import annotations

from typing import Literal

from engine.api.schema.base import ControlEvent, Worded
from engine.api.schema.hosting import NetworkRequest

DoctorStep = Literal["server", "login", "ice", "links", "bandwidth"]
"""What is looked at: the bootstrap server, logging in there, STUN and TURN servers, links to relays, bandwidth."""


class ExamineConnection(NetworkRequest, frozen=True, kw_only=True, tag="examine_connection"):
    """Find out why links fail; takes up to a minute and changes nothing. ``DoctorProgress`` comes at each step, then
    ``Examined`` or ``RequestFailed``. ``bandwidth``: measure it, too, which moves 2 MB. One goes on at a time; it ends
    with the connection that asked for it."""

    bandwidth: bool = True


class DoctorProgress(ControlEvent, frozen=True, kw_only=True, tag="doctor_progress"):
    """What is looked at now."""

    ref: str
    step: DoctorStep


class Finding(Worded, frozen=True, kw_only=True):
    """``id`` is stable. ``found``, ``meaning`` and ``change``: what it is, what follows from it, and what to do; the
    last is empty where there is nothing to do. A "note" is worth knowing and works."""

    id: str
    status: Literal["good", "note", "problem"]
    found: str
    meaning: str = ""
    change: str = ""


class ProbedServer(Worded, frozen=True, kw_only=True):
    """A server that was asked: ``kind`` "bootstrap", "stun" or "turn". ``used``: it is the one that is taken.
    ``milliseconds``: 0 where it did not answer, for the ``problem``."""

    kind: Literal["bootstrap", "stun", "turn"]
    address: str
    reached: bool
    used: bool = False
    milliseconds: float = 0.0
    problem: str = ""


class Examined(ControlEvent, frozen=True, kw_only=True, tag="examined"):
    """What came of it. ``report``: the same and all that was measured, as JSON to be given to who helps, without
    addresses, ids, names and keys."""

    ref: str
    healthy: bool
    findings: tuple[Finding, ...]
    servers: tuple[ProbedServer, ...] = ()
    report: str = ""


AnyDoctorRequest = ExamineConnection
AnyDoctorEvent = DoctorProgress | Examined

__all__ = [
    "AnyDoctorEvent",
    "AnyDoctorRequest",
    "DoctorProgress",
    "DoctorStep",
    "ExamineConnection",
    "Examined",
    "Finding",
    "ProbedServer",
]
