"""``gentorrent doctor`` as a user runs it: real relays, a running engine, a private network, exit codes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Network, gentorrent

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("doctor")) as network, socket.create_server(("127.0.0.1", 0)) as taken:
        network.found("--hops", "1", "--paths", "3", "--needed", "2")
        network.relays("relays", 3)
        listener = f"127.0.0.1:{taken.getsockname()[1]}"
        network.node("engine", "--contribute", BUILTIN_MODEL, "--signaling-address", listener)
        network.wait("engine", lambda state: state.network.relays >= 4 and state.network.status == "ready", 120)
        yield network


def doctor(*options: str, code: int = 0) -> dict[str, Any]:
    told = gentorrent("doctor", "--json", *options)
    assert told.returncode == code, told.stdout + told.stderr
    return json.loads(told.stdout)


def test_without_an_engine_real_links_are_made(network: Network) -> None:
    told = doctor("--bootstrap", network.address, "--data", str(network.folder / "nobody"), "--no-bandwidth")
    assert told["healthy"]
    assert told["engine"] is told["bandwidth"] is None
    assert told["server"]["relays"] == 4
    assert [link["opened"] for link in told["links"]] == [True] * 3
    assert not (network.folder / "nobody").exists()


def test_a_running_engine_is_asked_and_not_disturbed(network: Network) -> None:
    before = network.state("engine")
    told = doctor("--data", str(network.folder / "engine"))
    assert told["engine"]["status"] == "ready"
    assert told["engine"]["paths"] == told["engine"]["paths_wanted"] == 3
    assert network.node_id("engine")[:8] not in {link["node"] for link in told["links"]}
    assert told["bandwidth"]["bytes"] == 2_000_000
    after = network.state("engine")
    assert after.network.bootstrap_connected
    assert after.started == before.started


def test_what_a_person_reads(network: Network) -> None:
    told = gentorrent("doctor", "--data", str(network.folder / "engine"), "--no-bandwidth")
    assert told.returncode == 0
    assert "The bootstrap server of" in told.stdout
    assert "All is well." in told.stdout
    assert "links to relays" in told.stderr
    assert "The running engine says: --signaling-address 127.0.0.1:" in told.stdout


def test_exit_codes(network: Network) -> None:
    away = doctor("--bootstrap", "http://127.0.0.1:9", "--data", str(network.folder / "nobody"), code=1)
    assert [finding["status"] for finding in away["findings"] if finding["id"] == "bootstrap"] == ["problem"]
    wrong = gentorrent("doctor", "--bootstrap", "nonsense")
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_a_private_network_is_examined_as_its_member(tmp_path: Any) -> None:
    with Network(tmp_path) as private:
        private.found("--invited-only", "--hops", "0")
        address = f"{private.address}#{json.loads((tmp_path / 'bootstrap/genesis.json').read_text())['network_id']}"
        private.join("member", private.invite(), "--contribute", BUILTIN_MODEL)
        private.wait("member", lambda state: state.network.bootstrap_connected and state.network.nodes == 1, 90)
        stranger = doctor("--bootstrap", address, "--data", str(tmp_path / "nobody"), code=1)
        assert stranger["server"]["problem"] == "refused"
        assert "private" in stranger["server"]["detail"]
        running = doctor("--bootstrap", address, "--data", str(tmp_path / "member"), "--no-bandwidth", code=0)
        assert not running["server"]["logged_in"]  # the engine's own login is not taken from it
        assert running["engine"]["bootstrap_connected"]
        assert running["server"]["private"]
        private.stop("member")
        stopped = doctor("--bootstrap", address, "--data", str(tmp_path / "member"), "--no-bandwidth")
        assert stopped["server"]["logged_in"]
