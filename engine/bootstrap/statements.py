"""Revocations and successions that the server has accepted. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from engine.directory.statements import Statement
from engine.errors import DirectoryError
from engine.ids import NodeId
from engine.wire.records import Signed

SHOWN_SECONDS = 30 * 86_400
"""How long a snapshot carries a statement: as long as a guard serves, so nobody keeps one that has missed it."""
SHOWN_AT_MOST = 1_024
"""Of each kind in one snapshot; the newest."""


class Statements:
    """The ids that are over. The server forgets none, though snapshots carry each for a month only."""

    def __init__(self, statements: Iterable[tuple[Statement, int]] = ()) -> None:
        """Each with the time (seconds since 1970) at which it was accepted: it may have been made long before."""
        self._statements = {statement.node_id: (statement, accepted) for statement, accepted in statements}

    def __len__(self) -> int:
        return len(self._statements)

    def check(self, name: NodeId) -> None:
        """:class:`DirectoryError` if this id is over."""
        known = self._statements.get(name)
        if known is not None:
            how = "was revoked" if known[0].successor is None else "has been replaced by another key"
            raise DirectoryError(f"this identity {how} and is never listed again; make a new one")

    def ended(self, name: NodeId) -> bool:
        """Whether this id is over."""
        return name in self._statements

    def add(self, statement: Statement, wall: float) -> None:
        """Keep it for good."""
        self._statements[statement.node_id] = (statement, int(wall))

    def recent(self, wall: float) -> tuple[tuple[Signed, ...], tuple[Signed, ...]]:
        """The revocations and the successions that the next snapshot carries, oldest first."""
        known = [(accepted, one) for one, accepted in self._statements.values() if accepted > wall - SHOWN_SECONDS]
        shown = [one for _, one in sorted(known, key=lambda pair: (pair[0], pair[1].node_id))]
        revocations = [one.signed for one in shown if one.successor is None]
        successions = [one.signed for one in shown if one.successor is not None]
        return tuple(revocations[-SHOWN_AT_MOST:]), tuple(successions[-SHOWN_AT_MOST:])
