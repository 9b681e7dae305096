"""Which of several bootstrap servers to ask next. No I/O.

They are listed in order of preference. After a failure the next one is tried almost at once; only after a whole round
in vain does waiting grow. Every wait is drawn, so that a crowd that lost its server neither meets at the next one in
one moment nor comes back in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

FIRST_BACKOFF, LAST_BACKOFF = 0.5, 60.0
REFUSED_BACKOFF = 5.0
"""At least this long after a server that answered and would not have us, or was not the right one."""
NEXT_SERVER_SECONDS = 1.0
"""At most this long between one server of a round and the next."""


class ServerChoice:
    """``urls`` in order of preference, at least one. ``last_backoff``: the longest wait between two rounds in vain."""

    def __init__(
        self, urls: Sequence[str], random_bytes: Callable[[int], bytes], last_backoff: float = LAST_BACKOFF
    ) -> None:
        self._urls = tuple(urls)
        self._last_backoff = last_backoff
        self._random_bytes = random_bytes
        self._index = 0
        self._backoff = FIRST_BACKOFF

    @property
    def current(self) -> str:
        """The server to ask now."""
        return self._urls[self._index]

    @property
    def others(self) -> tuple[str, ...]:
        """The other servers."""
        return tuple(url for url in self._urls if url != self.current)

    @property
    def preferred(self) -> str | None:
        """The server to go back to when it answers again; None while we are there."""
        return self._urls[0] if self._index else None

    def worked(self) -> None:
        """The connection held for a while: the next failure is the first again."""
        self._backoff = FIRST_BACKOFF

    def go_back(self) -> None:
        """The preferred server answers again."""
        self._index = 0
        self._backoff = FIRST_BACKOFF

    def failed(self, refused: bool = False) -> float:
        """The current server did not do; seconds to wait before asking the one that is current then."""
        self._index = (self._index + 1) % len(self._urls)
        if self._index:
            return NEXT_SERVER_SECONDS * self._draw()
        backoff = max(self._backoff, REFUSED_BACKOFF) if refused else self._backoff
        self._backoff = min(self._last_backoff, backoff * 2)
        return backoff * (0.5 + self._draw() / 2)

    def spread(self, seconds: float) -> float:
        """Half to one and a half times ``seconds``."""
        return seconds * (0.5 + self._draw())

    def _draw(self) -> float:
        return int.from_bytes(self._random_bytes(2), "big") / 65_536
