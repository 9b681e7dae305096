"""What a member says of itself to its group, and when. Pure."""

from __future__ import annotations

import math

from engine.crypto.identity import Identity
from engine.forwarding.digests import DIGEST_BITS, set_digest
from engine.forwarding.members import Load
from engine.forwarding.reckoning import Interjections, mistaken
from engine.forwarding.sentry import Sentry
from engine.forwarding.statements import (
    Statement,
    load_message,
    make_statement,
    noticeably_different,
    packed,
)
from engine.wire.group import MAX_CHANGES, GroupStatement


class Speaker:
    """Makes one member's statements, from its ``sentry`` and what :meth:`report` says."""

    def __init__(
        self,
        identity: Identity,
        network_id: bytes,
        model: bytes,
        incarnation: int,
        bits: int = DIGEST_BITS,
        sentry: Sentry | None = None,
    ) -> None:
        """``incarnation``: milliseconds since 1970, greater than that of any earlier start. ``sentry``: one that has
        followed the caches already."""
        self.sentry = sentry if sentry is not None else Sentry(bits)
        self.sentry.begin_anew()
        self.load = Load()
        self.accepts = True
        self._identity = identity
        self._network_id = network_id
        self._model = model
        self._incarnation = incarnation
        self._bits = bits
        self._most = MAX_CHANGES // (2 + bits // 8)
        self._sequence = 0
        self._content = 0
        self._state = set_digest((), bits)
        self._told: tuple[Load, bool] | None = None
        self._told_at = -math.inf
        self._interjections = Interjections()
        self._mistaken = False  # others think something else of this machine by now

    def report(self, load: Load, accepts: bool, now: float) -> None:
        """What there is to say of the load now."""
        self.load, self.accepts = load, accepts
        self._mistaken = self._told is not None and mistaken(self._told[0], load, now - self._told_at)

    def due(self, now: float, interval: float, quiet: float, *, interjects: bool) -> bool:
        """Whether a statement is due: after ``interval`` if there is news, after ``quiet`` without; ``interjects``: at
        once if others are mistaken, as often as that may be."""
        return now >= self.deadline(interval, quiet, interjects=interjects)

    def deadline(self, interval: float, quiet: float, *, interjects: bool) -> float:
        """When :meth:`due` is true, as far as it is known now."""
        turn = self._told_at + (interval if self._has_news else quiet)
        if not interjects or not self._mistaken:
            return turn
        return min(turn, self._interjections.earliest(self._told_at))

    @property
    def _has_news(self) -> bool:
        if self._told is None or self.sentry.waiting:
            return True
        load, accepts = self._told
        return accepts != self.accepts or noticeably_different(load, self.load)

    def speak(self, now: float, wall: float, room: int, leaving: bool = False, *, interval: float = 0.0) -> Statement:
        """The next statement; afterwards at most ``room`` chunks are told. Before ``interval`` is over it is an
        interjection."""
        if now - self._told_at < interval:
            self._interjections.made(now)
        delta = self.sentry.take(room, self._most)
        if delta:
            self._state = set_digest(self.sentry.told, self._bits)
        self._sequence += 1
        said = GroupStatement(
            incarnation=self._incarnation,
            sequence=self._sequence,
            based_on=self._content,
            made=wall,
            load=load_message(self.load),
            accepts=self.accepts and not leaving,
            leaving=leaving,
            state=self._state,
            added=packed(delta.added, self._bits),
            removed=packed(delta.removed, self._bits),
        )
        if delta:
            self._content = self._sequence
        self._told, self._told_at, self._mistaken = (self.load, self.accepts), now, False
        return make_statement(self._identity, self._network_id, self._model, said, delta.added, delta.removed)
