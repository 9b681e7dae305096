"""The order in which servers are asked, and for how long one waits between them."""

from __future__ import annotations

import pytest

from engine.transport.server_choice import (
    FIRST_BACKOFF,
    LAST_BACKOFF,
    NEXT_SERVER_SECONDS,
    REFUSED_BACKOFF,
    ServerChoice,
)


def zeros(count: int) -> bytes:
    return bytes(count)


def ones(count: int) -> bytes:
    return b"\xff" * count


def test_one_server_is_asked_ever_more_seldom() -> None:
    for source, least in ((zeros, 0.5), (ones, 0.99)):
        choice = ServerChoice(["a"], source)
        waits = [choice.failed() for _ in range(12)]
        assert choice.current == "a"
        assert waits == sorted(waits)
        assert least * FIRST_BACKOFF <= waits[0] <= FIRST_BACKOFF
        assert least * LAST_BACKOFF <= waits[-1] <= LAST_BACKOFF
        choice.worked()
        assert choice.failed() <= FIRST_BACKOFF


def test_a_round_is_quick_and_only_whole_rounds_in_vain_are_waited_for() -> None:
    choice = ServerChoice(["a", "b", "c"], ones)
    asked, waits = [], []
    for _ in range(7):
        asked.append(choice.current)
        waits.append(choice.failed())
    assert asked == ["a", "b", "c", "a", "b", "c", "a"]
    between = [waits[place] for place in (0, 1, 3, 4, 6)]
    assert max(between) <= NEXT_SERVER_SECONDS
    assert waits[5] > waits[2] > FIRST_BACKOFF / 2


def test_who_was_refused_does_not_ask_again_at_once() -> None:
    choice = ServerChoice(["a"], zeros)
    assert choice.failed(refused=True) >= REFUSED_BACKOFF / 2


def test_the_first_one_is_preferred() -> None:
    choice = ServerChoice(["a", "b"], ones)
    seen = []
    for step in (lambda: None, choice.failed, choice.go_back):
        step()
        seen.append((choice.current, choice.preferred, choice.others))
    assert seen == [("a", None, ("b",)), ("b", "a", ("a",)), ("a", None, ("b",))]


def test_a_shorter_longest_wait() -> None:
    choice = ServerChoice(["a"], ones, 5.0)
    assert [choice.failed() for _ in range(9)][-1] <= 5.0


@pytest.mark.parametrize("source", [zeros, ones])
def test_what_is_done_now_and_then_is_spread(source) -> None:
    assert 50 <= ServerChoice(["a"], source).spread(100) <= 150
