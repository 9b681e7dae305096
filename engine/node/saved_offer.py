"""The STUN and TURN servers that an identity was offered last, on disk while their passwords are good: a node behind a
difficult router that starts while the bootstrap server is away needs a relay to come back at all."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from engine.errors import StorageError
from engine.storage.state import load_state, save_state
from engine.transport.ice_servers import OfferedServers, entries_of, usable_servers

logger = logging.getLogger(__name__)


class _Saved(Struct, frozen=True):
    servers: Annotated[list[tuple[list[str], str, str]], Meta(max_length=64)]
    expires: float | None = None


def save_offer(path: Path, offered: OfferedServers) -> None:
    """Keep ``offered`` (in a file of the owner alone); a disk that refuses costs only the next start without server."""
    expires = None if offered.expires == float("inf") else offered.expires
    try:
        save_state(path, _Saved(entries_of(offered), expires))
    except StorageError as error:
        logger.warning("the addresses of STUN and TURN servers could not be kept: %s", error)


def load_offer(path: Path, wall: float) -> OfferedServers | None:
    """What was kept, if it is good at ``wall`` (seconds since 1970)."""
    try:
        saved = load_state(path, _Saved)
    except StorageError as error:
        logger.warning("the addresses of STUN and TURN servers are asked for anew: %s", error)
        return None
    if saved is None or (saved.expires is not None and saved.expires <= wall):
        return None
    return usable_servers(saved.servers, float("inf") if saved.expires is None else saved.expires)
