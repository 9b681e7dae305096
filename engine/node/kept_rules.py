"""The owner's rules on disk. Where they cannot be read, that is known until the owner has looked."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import msgspec

from engine.errors import StorageError
from engine.governor.rules import Rules
from engine.governor.written_rules import read_rules
from engine.sentences import said_by, say
from engine.storage.files import keep_aside, read_limited, storage_error
from engine.storage.state import MAXIMUM_STATE_LENGTH, save_state

MOST_NAMES, LONGEST_NAME = 8, 60
"""Of rules that could not be read, for people."""
logger = logging.getLogger(__name__)


class KeptRules:
    """One file. ``doubt``: why what :meth:`read` gave may not be what the owner wants; "": it is. The file stays as it
    is meanwhile, so that the next start finds out the same."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unread = False
        self.doubt = ""

    def read(self, otherwise: Rules) -> Rules:
        """Those of the owner as far as they can be read, the rest as in ``otherwise``."""
        place = str(self._file)
        rules = otherwise
        lost: tuple[str, ...] = ()
        try:
            data = read_limited(self._file, MAXIMUM_STATE_LENGTH)
            if data is not None:
                rules, lost = read_rules(data, otherwise)
        except StorageError as error:
            self.doubt = say("governor.rules_unreadable", problem=said_by(error))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.doubt = say("governor.rules_damaged", place=place)
        if lost:
            self.doubt = say("governor.rules_partly", place=place, names=_names(lost))
        self._unread = bool(self.doubt)
        if self.doubt:
            logger.warning("%s", self.doubt)
        return rules

    def keep(self, rules: Rules) -> Path | None:
        """These are the owner's. What could not be read is kept aside only now; where, if there is such. Raises
        ``StorageError`` where the disk refuses: then, and after a crash, the next start finds what this one found (but
        for a moment in which a folder in the place of the file is moved and nothing is there yet)."""
        self.doubt = ""
        if not self._unread:
            save_state(self._file, rules)
            return None
        new = self._file.with_name(f".{self._file.name}.new")
        save_state(new, rules)  # before anything moves: for want of room nothing is lost
        place = keep_aside(self._file)
        try:
            new.replace(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
                place.replace(self._file)
            raise storage_error("replace", self._file, error) from error
        self._unread = False
        return place


def _names(lost: tuple[str, ...]) -> str:
    shown = [name[:LONGEST_NAME] for name in lost[:MOST_NAMES]]
    return ", ".join([*shown, "…"] if len(lost) > MOST_NAMES else shown)
