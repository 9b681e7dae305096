"""Four verifiers as their owners start them: their blocks reach the server, whatever is killed in between."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.support.network import Network, gentorrent

pytestmark = pytest.mark.timeout(180)
NAMES = ("first", "second", "third", "fourth")
EPOCH_SECONDS = 4


@pytest.fixture
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("verified")) as network:
        members = []
        for name in NAMES:
            shown = gentorrent("identity", "show", "--key", "--data", str(network.folder / name))
            members += ["--committee", shown.stdout.strip()]
        network.found("--epoch-seconds", str(EPOCH_SECONDS), *members)
        for name in NAMES:
            network.node(name)
        yield network


def height(network: Network) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{network.port}/v1/chain", timeout=30) as answer:
            return int(json.loads(answer.read())["height"])
    except OSError:  # a server that is just starting
        return -1


def until(network: Network, wanted: Callable[[int], bool], seconds: float = 120) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = height(network)
        if wanted(found):
            return found
        time.sleep(0.3)
    raise AssertionError(f"the chain stands at {height(network)}")


def test_blocks_go_on_while_a_verifier_and_the_server_are_killed(verified: Network) -> None:
    begun = until(verified, lambda height: height >= 2)
    verified.kill("second")
    verified.kill("bootstrap")
    time.sleep(2 * EPOCH_SECONDS)  # three members go on without both
    verified.start_server()
    caught_up = until(verified, lambda height: height >= begun + 2)
    verified.node("second")
    verified.kill("third")  # now the one that was away is needed
    until(verified, lambda height: height >= caught_up + 2)
    checked = gentorrent("verify-chain", "--bootstrap", verified.address)
    assert checked.returncode == 0, checked.stdout + checked.stderr
