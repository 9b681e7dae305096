"""The limit for the rate of answers to others, with real machines: what moves keeps to it, and answers are whole."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.governor.findings import MEGABIT
from engine.governor.pacing import BURST_SECONDS
from tests.support.network import Answer, Network, direct_network, gentorrent

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]
RATE = 0.1
"""Megabits per second: the least that can be chosen, about what 110 tokens a second move."""
AT_ONCE, TOKENS = 6, 250
SLACK = 1.25
"""What is measured once a second, and what goes on moving besides answers."""


@pytest.fixture
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with direct_network(tmp_path_factory.mktemp("rate")) as found:
        found.node("giver", "--contribute", "gentorrent-builtin", "--threads", "1")
        found.node("asking", "--no-relay")
        found.wait_ready("asking", 0, 1)
        yield found


def _told(network: Network, *words: str) -> dict[str, Any]:
    ended = gentorrent("contribute", *words, "--json", "--data", str(network.data("giver").path))
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def _moved(network: Network) -> float:
    """Bytes, for others."""
    return float(_told(network, "show")["contribution"]["totals"]["gigabytes_month"]) * 1e9


def _ask(network: Network, at: str) -> None:
    """So many at once, each read to its end."""
    client = network.openai("asking")
    lengths = {"min_tokens": TOKENS, "max_tokens": TOKENS}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [
            pool.submit(Answer(client, f"Tell me of {n}.", conversation=f"{at} {n}", temperature=1.0, **lengths).read)
            for n in range(AT_ONCE)
        ]
        found = [one.result() for one in asked]
    assert [(one.error, one.tokens) for one in found] == [(None, TOKENS)] * AT_ONCE


def test_answers_to_others_keep_to_their_rate(network: Network) -> None:
    begun, before = time.monotonic(), _moved(network)
    _ask(network, "without a limit")
    free = (_moved(network) - before) / (time.monotonic() - begun)
    assert _told(network, "rules", "set", "serve_rate", str(RATE))["serve_rate"] == RATE
    begun, before, slowed = time.monotonic(), _moved(network), []
    for at in range(3):
        _ask(network, f"with a limit, {at}")
        slowed += _told(network, "show")["contribution"]["slowed"]
    seconds = time.monotonic() - begun
    assert _moved(network) - before < SLACK * RATE * MEGABIT * (seconds + BURST_SECONDS)
    if free > 2 * RATE * MEGABIT:  # else this machine is too slow for the limit to be met
        assert set(slowed) == {f"It works more slowly, so that answers to others stay below {RATE} Mbit/s."}
