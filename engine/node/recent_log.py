"""The newest lines of the log, in memory, for a report about this engine."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Iterator

LINES = 400
LONGEST = 600
"""Characters of a line that are kept."""


class RecentLog(logging.Handler):
    """Keeps what is logged while it is attached."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; one that cannot be written down is left out."""
        with contextlib.suppress(Exception):
            self.lines.extend(line[:LONGEST] for line in self.format(record).splitlines()[-LINES:])

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Hear everything that is logged meanwhile."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
