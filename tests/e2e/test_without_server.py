"""Real processes: a relay that is killed and started again while the bootstrap server is away finds its neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.network import Network, free_port, gentorrent

pytestmark = [pytest.mark.timeout(90), pytest.mark.slow]


def test_restarted_relay_links_again_while_the_server_is_away(tmp_path: Path) -> None:
    with Network(tmp_path) as network:
        network.found()
        address = f"127.0.0.1:{free_port()}"
        network.node("listener", "--signaling-address", address)
        for name in ("second", "returning"):
            network.node(name)
        for name in ("listener", "second", "returning"):
            # Two links of the node identity to the others, and those of the client identity to its guards.
            network.wait(name, lambda state: state.network.relays == 3 and state.network.links >= 4, 120)
        network.kill("bootstrap")
        network.kill("returning")
        network.wait("second", lambda state: not state.network.bootstrap_connected, 60)
        network.node("returning")
        network.wait("returning", lambda _: True, 60)
        network.wait("returning", lambda state: state.network.links >= 1, 5)  # the way back to all the others
        state = network.wait("returning", lambda state: state.network.links >= 3, 10)
        assert not state.network.bootstrap_connected


def test_address_that_is_none_is_refused_with_what_to_write(tmp_path: Path) -> None:
    refused = gentorrent("node", "--data", str(tmp_path / "node"), "--signaling-address", "example.org:4711")
    assert refused.returncode != 0
    assert "write IP:PORT" in refused.stderr
