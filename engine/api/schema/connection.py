"""The control WebSocket itself: where it is, its bounds and how it begins and ends."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ControlRequest

CONTROL_VERSION = 1
"""Version of these messages; also in the path."""
CONTROL_PATH = "/control/v1"
MAX_CONTROL_MESSAGE = 1_048_576
"""Bytes of one message to the engine."""
MAX_CONTROL_EVENT = 4_194_304
"""Bytes of one message from the engine (one with a receipt may be long)."""
UNSENT_NAME = "chats-unsent.json"
"""File of the data directory in which a window keeps what no engine has taken yet."""
CLOSE_REFUSED = 4000
"""WebSocket close code: the first message was no acceptable Hello."""
CLOSE_TOO_SLOW = 4001
"""WebSocket close code: the client did not read its events in time."""
CLOSE_STOPPING = 4002
"""WebSocket close code: the engine stops."""


class EngineAddress(Struct, frozen=True, kw_only=True):
    """Content of the lock file of a data directory (JSON, 0600): where the running engine is and how to talk to it."""

    pid: int
    port: int
    control_token: str
    started: float  # seconds since 1970


class Hello(ControlRequest, frozen=True, kw_only=True, tag="hello"):
    """The first message. ``client`` names the program, for the log and for ``Shutdown``."""

    version: int
    client: Annotated[str, Meta(max_length=100)] = ""


class Welcome(ControlEvent, frozen=True, kw_only=True, tag="welcome"):
    """The Hello was accepted."""

    version: int
    engine_version: str


__all__ = [
    "CLOSE_REFUSED",
    "CLOSE_STOPPING",
    "CLOSE_TOO_SLOW",
    "CONTROL_PATH",
    "CONTROL_VERSION",
    "MAX_CONTROL_EVENT",
    "MAX_CONTROL_MESSAGE",
    "UNSENT_NAME",
    "EngineAddress",
    "Hello",
    "Welcome",
]
