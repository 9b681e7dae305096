"""Copies of what was sent and may not have arrived, kept no longer than that."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

from engine.transport.unacknowledged import ControlLog, unacknowledged_cells

FIRST, LAST, WHOLE = 2, 1, 3


def chunk(stream: int, flags: int = WHOLE, data: bytes = b"", *, acked: bool = False) -> Any:
    return SimpleNamespace(stream_id=stream, flags=flags, user_data=data, _acked=acked)


def association(sent: list[Any] | None = None, outbound: list[Any] | None = None, queued: Any = ()) -> Any:
    return SimpleNamespace(
        _sent_queue=deque(sent or []), _outbound_queue=deque(outbound or []), _data_channel_queue=deque(queued)
    )


def log_of(count: int) -> ControlLog:
    log = ControlLog()
    for number in range(count):
        log.sent(bytes([number]), None)
    return log


def test_what_the_peer_has_not_received_is_there_in_order() -> None:
    log = log_of(5)
    assert log.after(5) == []
    assert log.after(3) == [b"\x03", b"\x04"]
    assert log.after(0) == [bytes([number]) for number in range(5)]


def test_counts_that_cannot_be_are_none() -> None:
    log = log_of(5)
    assert log.after(6) is None
    log.trim(association([chunk(0), chunk(0)]))
    assert log.after(3) == [b"\x03", b"\x04"]
    assert log.after(2) is None, "less than was acknowledged"


def test_message_of_many_chunks_is_kept_until_its_last_is_acknowledged() -> None:
    log = log_of(3)
    log.trim(association([chunk(0, 0), chunk(0, LAST), chunk(1)], [chunk(0, FIRST), chunk(0, LAST)]))
    assert log.after(1) == [b"\x01", b"\x02"]
    log.trim(association([], [], [(SimpleNamespace(id=0), 53, b"x"), (SimpleNamespace(id=1), 53, b"y")]))
    assert log.after(2) == [b"\x02"]
    log.trim(association())
    assert log.after(2) is None


def test_copies_are_bounded_between_two_looks() -> None:
    log = ControlLog()
    for _ in range(1000):
        log.sent(bytes(1000), association())
    assert len(log._kept) < 200


def test_cells_that_are_not_acknowledged() -> None:
    sent = [chunk(1, data=b"lost"), chunk(1, data=b"there", acked=True), chunk(0, data=b"control"), chunk(1, FIRST)]
    queued = [(SimpleNamespace(id=1), 53, b"queued"), (SimpleNamespace(id=0), 53, b"control")]
    found = unacknowledged_cells(association(sent, [chunk(1, data=b"next")], queued), 1)
    assert found == [b"lost", b"next", b"queued"]
    assert unacknowledged_cells(None, 1) == []
