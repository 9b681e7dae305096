"""The network that the gentle tests share: started by hand, watched from its first packet to its last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from tests.conftest import may_capture
from tests.support.capture import Capture
from tests.support.network import Network

RELAYS = 12


@dataclass
class ByHand:
    """``model`` serves, ``client`` asks; both were started with the documented commands and relay, too."""

    network: Network
    capture: Capture | None


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    with Network(tmp_path_factory.mktemp("by-hand")) as network:
        network.found()
        with Capture(network.port) if may_capture() else nullcontext() as capture:
            network.relays("relays", RELAYS)
            network.node("model", "--contribute", "gentorrent-builtin", "--log-level", "debug")
            network.node("client", "--log-level", "debug")
            network.wait_ready("client", RELAYS + 2, 1)
            yield ByHand(network, capture)
