"""Two real model nodes over WebRTC: what one has in its cache the other one knows soon, and only what is public."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from engine.storage.data_directory import load_api_token
from tests.support.network import Network

pytestmark = [pytest.mark.timeout(150), pytest.mark.slow]
SYSTEM = "You answer questions about a small garden by the sea, and never about anything else. " * 8


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("groups")) as network:
        network.found("--hops", "0")
        for name in ("one", "two"):
            network.node(name, "--contribute", BUILTIN_MODEL)
        for name in ("one", "two"):
            network.wait(name, lambda state: state.contributing.status == "on", 90)
        yield network


def metric(network: Network, name: str, series: str) -> float:
    """One figure of a node's /metrics."""
    address = network.state(name).api_address
    token = load_api_token(network.data(name).api_token)
    request = urllib.request.Request(
        f"{address.removesuffix('/v1')}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read().decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def until(network: Network, name: str, series: str, wanted: float, seconds: float = 40.0) -> None:
    """Wait until a figure has this value."""
    deadline = time.monotonic() + seconds
    while (value := metric(network, name, series)) != wanted:
        assert time.monotonic() < deadline, f"{series} is {value}, not {wanted}"
        time.sleep(0.3)


def ask(network: Network, name: str, question: str, public: int) -> None:
    network.openai(name).chat.completions.create(
        model=BUILTIN_MODEL,
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}],
        max_tokens=2,
        extra_body={"gentorrent": {"route": "local", "public_messages": public}},
    )


def test_what_is_public_in_one_cache_is_known_to_the_other_node(network: Network) -> None:
    for name in ("one", "two"):
        until(network, name, "gentorrent_group_members", 2)
    ask(network, "one", "How often do roses need water? " * 12, 0)
    time.sleep(3)
    assert metric(network, "one", 'gentorrent_group_chunks{whose="mine"}') == 0  # nothing is marked: nothing is told
    ask(network, "one", "When do tulips flower? " * 12, 1)
    deadline = time.monotonic() + 20
    while not (mine := metric(network, "one", 'gentorrent_group_chunks{whose="mine"}')):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    until(network, "two", 'gentorrent_group_chunks{whose="all"}', mine)
    assert metric(network, "two", 'gentorrent_group_chunks{whose="mine"}') == 0


def test_a_node_that_stops_is_forgotten_at_once(network: Network) -> None:
    network.stop("one")
    until(network, "two", "gentorrent_group_members", 1, 10)
    assert metric(network, "two", 'gentorrent_group_chunks{whose="all"}') == 0
