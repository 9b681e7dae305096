"""What a request about the chain is answered with, the same of a server and of a mirror."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

BINARY = "application/octet-stream"
TEXT = "text/plain"


@dataclass(frozen=True, slots=True)
class ChainAnswer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = BINARY

    @classmethod
    def says(cls, status: int, text: str) -> ChainAnswer:
        """Words for people."""
        return cls(status, f"{text}\n".encode(), TEXT)

    @classmethod
    def shows(cls, document: dict[str, object]) -> ChainAnswer:
        """JSON."""
        return cls(200, (json.dumps(document) + "\n").encode(), "application/json")


class ChainService(Protocol):
    """Answers what is below ``/v1``: ``path`` has no leading slash, a request counts for ``address``."""

    async def read(self, path: str, address: str) -> ChainAnswer:
        """A GET."""
        ...

    async def take(self, path: str, body: bytes, address: str) -> ChainAnswer:
        """A POST."""
        ...


NO_COMMITTEE = ChainAnswer.says(404, "This network has no committee, so there is no chain and nothing is submitted.")
UNKNOWN = ChainAnswer.says(404, "There is nothing of this name.")
