"""The judge of the long runs: it sees growth, and noise is none."""

import random
from typing import Any

import pytest

from tests.soak.flatness import growth, thirds
from tests.soak.long_run import as_markdown, judge


def rows(count: int, slope: float) -> list[dict[str, float]]:
    source = random.Random(1)
    return [
        {"memory_mib": 100 + slope * number + source.uniform(-1, 1), "tasks": 100.0, "minute": float(number)}
        for number in range(count)
    ]


def test_flat_with_noise_and_one_spike_is_flat() -> None:
    found = rows(30, 0.0)
    found[29]["memory_mib"] += 500
    assert growth(found) == []


def test_slow_leak_is_seen() -> None:
    assert growth(rows(30, 0.5)) != []


def test_one_more_task_a_minute_is_seen() -> None:
    found = rows(30, 0.0)
    for number, row in enumerate(found):
        row["tasks"] += number
    assert growth(found) == ["tasks grew from 104.5 to 124.5"]


def test_too_few_measurements_show_nothing() -> None:
    with pytest.raises(ValueError, match="no trend"):
        thirds([1.0, 2.0])


def results() -> dict[str, Any]:
    real = [row | {"links": 21.0, "lost_links": 0.0, "received": 5040 * row["minute"]} for row in rows(30, 0.0)]
    simulated: dict[str, Any] = {"hours": 8.0, "relays": 16, "asked": 480, "complete": 480, "rows": rows(48, 0.0)}
    for number, row in enumerate(simulated["rows"]):
        row["minute"] = 10.0 * number
    return {
        "commit": "abc",
        "machine": {},
        "real": {"links": 21, "minutes": 30.0, "rows": real},
        "simulated": simulated,
    }


def test_a_lost_link_or_answer_fails_the_run() -> None:
    found = results()
    assert judge(found) == []
    assert "480 of 480" in as_markdown(found)
    assert "84 messages a second arrived" in as_markdown(found)
    found["simulated"]["complete"] = 479
    found["real"]["rows"][5]["lost_links"] = 1.0
    assert judge(found) == ["real links: a link was lost", "simulated: 1 answers were not complete"]


def test_links_that_carry_nothing_show_nothing() -> None:
    found = results()
    for row in found["real"]["rows"]:
        row["received"] = 0
    assert judge(found) == ["real links: less arrived than was sent"]
