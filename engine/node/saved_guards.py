"""The guard list of a network on disk, so that a start meets no new guards."""

from __future__ import annotations

import logging
from pathlib import Path

from engine.directory.guards import GuardState, state_of
from engine.errors import StorageError
from engine.ids import parse_node_id
from engine.storage.state import load_state, save_state

logger = logging.getLogger(__name__)


def load_guards(path: Path) -> GuardState | None:
    """The saved list, also one of the first version (ids alone); None if there is none.

    One that cannot be read is drawn anew, as the log says: a client without guards could ask nothing.
    """
    try:
        return load_state(path, GuardState)
    except StorageError as error:
        try:
            return state_of([parse_node_id(text) for text in load_state(path, list[str]) or []])
        except (StorageError, ValueError):
            logger.warning("the list of guards is drawn anew: %s", error)
            return None


def save_guards(path: Path, state: GuardState) -> None:
    """Replace the saved list atomically; ``StorageError`` if the disk refuses."""
    save_state(path, state)
