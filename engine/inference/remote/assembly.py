"""Pieces of one answer to the events that its reader gets: ids, stop strings, limits, the end. Pure."""

from __future__ import annotations

from engine.errors import RemoteServerError
from engine.inference.remote.settings import piece_id
from engine.inference.remote.stream import Piece, Usage
from engine.inference.text.decoder import StopFilter
from engine.inference.types import Delta, Done, GenerationRequest

MAX_TEXT = 4_000_000
"""Characters of one answer."""
MAX_PIECES = 1_000_000
PATIENCE = 4
"""So many pieces for each allowed token, and then the server is taken to ignore the limit: it may cut tokens small."""


class Assembly:
    """One answer. ``reason`` is set once nothing more is shown: "stop" or "length"."""

    def __init__(self, request: GenerationRequest) -> None:
        self._filter = StopFilter(request.stop)
        self._limit = request.max_tokens
        self._pieces = 0
        self._ids = 0
        self._characters = 0
        self._usage: Usage | None = None
        self._cut = False
        self.reason = ""

    @property
    def ids(self) -> int:
        """Ids given out so far."""
        return self._ids

    @property
    def complete(self) -> bool:
        """Whether nothing more is of interest: the answer was cut short here, or it has ended and is counted."""
        return self._cut or (bool(self.reason) and self._usage is not None)

    def add(self, piece: Piece) -> Delta | None:
        """What to show for one more piece, if anything; :class:`RemoteServerError` beyond all limits."""
        self._usage = piece.usage or self._usage
        if self.reason:
            return None
        shown = self._shown(piece)
        if not piece.logprobs:
            return self._delta(shown, (piece_id(shown),), piece) if shown else None
        return self._delta(shown, tuple(entry.token for entry in piece.logprobs), piece)

    def done(self) -> Done:
        """The end of the answer, counted by the server or, failing that, in pieces."""
        usage = self._usage or Usage(0, 0, 0)
        return Done(self.reason, usage.prompt, usage.completion or self._ids, min(usage.cached, usage.prompt))

    def _shown(self, piece: Piece) -> str:
        self._pieces += bool(piece.text)
        self._characters += len(piece.text)
        if self._characters > MAX_TEXT or self._pieces > MAX_PIECES:
            raise RemoteServerError(
                "The server that makes this model's answers does not come to an end. Ask again with a limit, or choose "
                "another model."
            )
        shown, stopped = self._filter.push(piece.text)
        if stopped:
            self.reason, self._cut = "stop", True
        elif piece.finish:
            shown += self._filter.flush()
            self.reason = piece.finish
        elif self._limit is not None and self._pieces >= PATIENCE * self._limit + PATIENCE:
            shown += self._filter.flush()
            self.reason, self._cut = "length", True
        return shown

    def _delta(self, shown: str, ids: tuple[int, ...], piece: Piece) -> Delta:
        """Never more ids than tokens were asked for: whoever counts them would think that the limit was broken."""
        room = len(ids) if self._limit is None else max(0, self._limit - self._ids)
        ids = ids[:room]
        self._ids += len(ids)
        return Delta(ids, shown, piece.logprobs[: len(ids)])
