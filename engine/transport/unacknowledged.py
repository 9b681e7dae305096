"""What was sent on a connection and may not have arrived, so that a newer connection can send it again.

Reads the SCTP queues of the library. A cell fits one SCTP chunk, so what is not acknowledged is found there. Control
messages can be longer and lose their first chunks from the queue, so a copy of each is kept until it is acknowledged.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

_WHOLE = 3
"""Flags of a chunk that is the first and the last of its message (RFC 9260, section 3.3.1)."""
_LAST = 1
_CONTROL_ID = 0
_TRIM_AFTER = 128 * 1024
"""Bytes of copies added between two regular looks from which on it is looked at once which are still needed."""


class ControlLog:
    """The control messages of one connection: how many came, how many went, and those that may not have arrived."""

    __slots__ = ("_added", "_kept", "received", "sent_count")

    def __init__(self) -> None:
        self.received = 0
        self.sent_count = 0
        self._kept: deque[bytes] = deque()
        self._added = 0

    def sent(self, data: bytes, sctp: Any) -> None:
        """``data`` was given to the library. A copy of each message costs at least 64 bytes."""
        self.sent_count += 1
        self._kept.append(data)
        self._added += max(64, len(data))
        if self._added > _TRIM_AFTER:
            self.trim(sctp)

    def trim(self, sctp: Any) -> None:
        """Forget the copies of what has been acknowledged."""
        self._added = 0
        if not self._kept:
            return
        waiting = 0 if sctp is None else _unacknowledged_control(sctp)
        while len(self._kept) > waiting:
            self._kept.popleft()

    def after(self, received: int) -> list[bytes] | None:
        """What was sent after the first ``received`` messages; None if that is no longer, or was never, there."""
        missing = self.sent_count - received
        if not 0 <= missing <= len(self._kept):
            return None
        return list(itertools.islice(self._kept, len(self._kept) - missing, None))


def _unacknowledged_control(sctp: Any) -> int:
    """Control messages in the library's queues. The tail of each is the last to leave."""
    chunks = itertools.chain(sctp._sent_queue, sctp._outbound_queue)
    tails = [chunk for chunk in chunks if chunk.stream_id == _CONTROL_ID and chunk.flags & _LAST]
    return len(tails) + len([channel for channel, _, _ in sctp._data_channel_queue if channel.id == _CONTROL_ID])


def unacknowledged_cells(sctp: Any, channel_id: int) -> list[bytes]:
    """Messages of one chunk on the cells channel that the peer has not acknowledged."""
    if sctp is None:
        return []
    cells = [
        chunk.user_data
        for chunk in itertools.chain(sctp._sent_queue, sctp._outbound_queue)
        if chunk.stream_id == channel_id and chunk.flags & _WHOLE == _WHOLE and not chunk._acked
    ]
    return cells + [data for channel, _, data in sctp._data_channel_queue if channel.id == channel_id]
