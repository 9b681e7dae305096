"""Control messages for a report that can be given to who helps."""

from __future__ import annotations

from engine.api.schema.base import ControlEvent, ControlRequest
from engine.api.schema.engine_control import Reference


class GetDiagnostics(ControlRequest, frozen=True, kw_only=True, tag="get_diagnostics"):
    """Tell how the engine is and what it has logged lately. :class:`Diagnostics` follows."""

    ref: Reference = ""


class Diagnostics(ControlEvent, frozen=True, kw_only=True, tag="diagnostics"):
    """``text``: JSON, made for people to read and to give away: without keys, tokens, prompts, answers, addresses,
    names of users and machines, paths of homes, and names of programs."""

    ref: str
    text: str


__all__ = [
    "Diagnostics",
    "GetDiagnostics",
]
