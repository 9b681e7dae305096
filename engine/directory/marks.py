"""Away and back marks: what the server signs between two snapshots, and how far readers believe it.

Marks are shown to single readers, so nobody else notices one that lies. They may therefore only take relays out of the
drawing for a while: never one that the reader itself is linked with, and never more than ``BELIEVED_SHARE`` of those
listed. Whoever marks more has lost its own connection or steers; then no mark is believed and the user is told.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.crypto.identity import Identity, verify
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.errors import DirectoryError, SignatureError
from engine.ids import NodeId
from engine.wire.codec import encode
from engine.wire.records import AwayMark

PURPOSE = "away-mark"
BELIEVED_SHARE = 0.5
"""Of the listed nodes; with more marked away than this, nobody is."""
BELIEVED_ALWAYS = 4
"""So many marks are believed in a network of any size: most of three nodes may well be away."""


def sign_mark(server: Identity, mark: AwayMark) -> bytes:
    """The server's signature of away and back marks."""
    return server.sign(PURPOSE, mark.network_id, encode(mark))


def check_mark(genesis: GenesisRecord, mark: AwayMark, key: bytes, signature: bytes) -> None:
    """Raise :class:`DirectoryError` unless a server of this network signed ``mark``."""
    if key not in genesis.genesis.server_keys or mark.network_id != genesis.network_id:
        raise DirectoryError("An away mark is not from a server of this network.")
    try:
        verify(key, PURPOSE, genesis.network_id, signature, encode(mark))
    except SignatureError as error:
        raise DirectoryError(f"An away mark is refused: {error}.") from error


class AwayMarks:
    """The marks that a reader has seen since it logged in; the newest per node counts. Bounded by what is listed."""

    def __init__(self, maximum: int = 20_000) -> None:
        self._maximum = maximum
        self._marks: dict[NodeId, tuple[int, bool]] = {}

    def clear(self) -> None:
        """Forget all of them; a server sends those that hold after each login."""
        self._marks.clear()

    def add(self, mark: AwayMark) -> bool:
        """Take checked marks; False if they say nothing new."""
        news = [self._add(NodeId(node), mark.issued, True) for node in mark.away]
        news += [self._add(NodeId(node), mark.issued, False) for node in mark.back]
        return any(news)

    def _add(self, node: NodeId, issued: int, away: bool) -> bool:
        known = self._marks.get(node)
        # Marks are serial on one connection, so of two of one second the later one to arrive counts.
        if known is not None and (known[0] > issued or known[1] == away):
            return False
        if known is None and (not away or len(self._marks) >= self._maximum):
            return False
        self._marks[node] = (issued, away)
        return True

    def keep_only(self, listed: Directory) -> None:
        """Drop the marks of nodes that are not in ``listed``."""
        self._marks = {name: mark for name, mark in self._marks.items() if name in listed}

    def away(self) -> frozenset[NodeId]:
        """The nodes whose newest mark says away."""
        return frozenset(name for name, (_, away) in self._marks.items() if away)

    def believed(self, listed: Directory, is_linked: Callable[[NodeId], bool]) -> frozenset[NodeId]:
        """Those of them that this reader takes for away; none if the server marks too many of ``listed``."""
        away = frozenset(name for name in self.away() if name in listed and not is_linked(name))
        return frozenset() if self.too_many(listed, is_linked) else away

    def too_many(self, listed: Directory, is_linked: Callable[[NodeId], bool]) -> bool:
        """Whether more are marked away than a reader believes."""
        doubted = sum(name in listed and not is_linked(name) for name in self.away())
        return doubted > max(BELIEVED_ALWAYS, BELIEVED_SHARE * len(listed))
