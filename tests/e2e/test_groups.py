"""Two real model nodes over WebRTC: what one has in its cache the other one knows soon, and only what is public."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Network

pytestmark = [pytest.mark.timeout(150), pytest.mark.slow]
SYSTEM = "You answer questions about a small garden by the sea, and never about anything else. " * 8
MINE, ALL = (f'gentorrent_group_chunks{{whose="{whose}"}}' for whose in ("mine", "all"))
"""Chunks of caches: of the node itself, and of others that it knows of."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("groups")) as network:
        network.found("--hops", "0")
        for name in ("one", "two"):
            network.node(name, "--contribute", BUILTIN_MODEL, "--forwarding-policy", "sglang")
        network.node("asking", "--no-relay")
        for name in ("one", "two"):
            network.wait(name, lambda state: state.contributing.status == "on", 90)
        network.wait_ready("asking", 0, 2)
        yield network


def ask(network: Network, name: str, question: str, public: int, route: str = "local", garden: int = 0) -> str:
    """Who answered. ``garden``: another number, another system prompt."""
    answer = network.openai(name).chat.completions.create(
        model=BUILTIN_MODEL,
        messages=[{"role": "system", "content": f"Garden {garden}. {SYSTEM}"}, {"role": "user", "content": question}],
        max_tokens=2,
        extra_body={"gentorrent": {"route": route, "public_messages": public, "receipt": True}},
    )
    extension = answer.model_extra["gentorrent"] if answer.model_extra else {}
    return str(extension.get("served_by"))


def test_what_is_public_in_one_cache_is_known_to_the_other_node(network: Network) -> None:
    for name in ("one", "two"):
        network.until(name, "gentorrent_group_members", 2)
    ask(network, "one", "How often do roses need water? " * 12, 0)
    time.sleep(3)
    assert network.metric("one", MINE) == 0  # nothing is marked: nothing is told
    ask(network, "one", "When do tulips flower? " * 12, 1)
    deadline = time.monotonic() + 120
    while not (mine := network.metric("one", MINE)) or network.metric("two", ALL) != mine:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert network.metric("two", MINE) == 0


def test_a_question_is_passed_on_to_who_has_its_beginning_in_its_cache(network: Network) -> None:
    """The client draws an entry node each time; sooner or later it is the one that does not have it."""
    for garden in range(1, 41):
        ask(network, "one", "What grows here?", 1, garden=garden)
        time.sleep(2.5)  # it is told, and what was answered is no load any more
        served = ask(network, "asking", "What should I plant?", 1, "network", garden)
        if "a request is passed on to" in network.log("two"):
            assert served == network.node_id("one")
            return
    pytest.fail("node two passed nothing on")


def test_a_node_that_stops_is_forgotten_at_once(network: Network) -> None:
    network.stop("one")
    network.until("two", "gentorrent_group_members", 1, 10)
    network.until("two", ALL, 0, 10)
