"""Limits of power that the drivers of GPUs keep for the owner while this machine contributes, and what was before them.

What was before is on the disk before a limit is set: after a crash, or a loss of power that the driver outlives, the
next start sets it back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from engine.errors import StorageError
from engine.sensors.power_limits import LimitRefusedError, power_limit, set_power_limit
from engine.sentences import say
from engine.storage.files import set_aside
from engine.storage.state import load_state, save_state

SAME = 1.0
"""Watts by which two limits may differ and be the same: drivers round."""
logger = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """``name`` of the GPU, for people."""

    name: str
    watts: float


class _Kept(Struct, frozen=True):
    before: float
    set: float


class PowerCaps:
    """Everything here asks a driver and may block: call it in a thread, one call at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = self._load()
        self.kept: frozenset[str] = frozenset()
        """Identifiers of the GPUs whose drivers keep what was wanted last."""
        self.reasons: Mapping[str, str] = {}
        """Why the drivers of the others do not, by identifier."""

    def hold(self, wanted: Mapping[str, Wanted]) -> None:
        """Limit these GPUs, by identifier, and no others any more. A limit that is lower already stays."""
        self._restore([uuid for uuid in self._kept if uuid not in wanted])
        kept: set[str] = set()
        reasons = {}
        for uuid, one in wanted.items():
            try:
                reason = self._limit(uuid, one)
            except LimitRefusedError as error:
                refused = say("governor.power_fails", device=one.name, error=str(error))
                reason = refused if error.permitted else say("governor.power_refused", device=one.name)
            if reason:
                reasons[uuid] = reason
            else:
                kept.add(uuid)
        self.kept, self.reasons = frozenset(kept), reasons

    def restore(self) -> None:
        """Set everything back as it was before; what drivers have refused they will refuse again."""
        self._restore(list(self._kept))
        self.kept = frozenset()

    def _limit(self, uuid: str, wanted: Wanted) -> str:
        now, least = power_limit(uuid)
        known = self._kept.get(uuid)
        before = known.before if known is not None and abs(now - known.set) <= SAME else now
        target = max(wanted.watts, least)
        if target < before:
            self._keep({**self._kept, uuid: _Kept(before, target)})
            try:
                set_power_limit(uuid, target)
            except LimitRefusedError:
                if known is None:
                    self._keep({name: one for name, one in self._kept.items() if name != uuid})
                raise
        elif known is not None:
            self._restore([uuid])
        return "" if target <= wanted.watts else say("governor.power_least", device=wanted.name, watts=round(least))

    def _restore(self, uuids: list[str]) -> None:
        """What somebody else has changed since is theirs."""
        left = dict(self._kept)
        for uuid in uuids:
            try:
                if abs(power_limit(uuid).now - left[uuid].set) <= SAME:
                    set_power_limit(uuid, left[uuid].before)
                del left[uuid]
            except LimitRefusedError as error:
                logger.warning("the power limit of %s was not set back, which is tried again: %s", uuid, error)
        self._keep(left)

    def _keep(self, kept: dict[str, _Kept]) -> None:
        if kept == self._kept:
            return
        try:
            if kept:
                save_state(self._file, kept)
            else:
                self._file.unlink(missing_ok=True)
        except (StorageError, OSError) as error:
            if len(kept) > len(self._kept):  # a limit that nobody would know of after a crash is not set
                raise LimitRefusedError(f"What was before cannot be written down: {error}") from None
            logger.warning("not written down: %s", error)
        self._kept = kept

    def _load(self) -> dict[str, _Kept]:
        try:
            return load_state(self._file, dict[str, _Kept]) or {}
        except StorageError as error:
            logger.warning("limits of power of an earlier run are not set back: %s", error)
            set_aside(self._file)
            return {}
