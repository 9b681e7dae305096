"""An engine hosts a private network by commands that the window sends, too: others are invited, and a restart or a kill
loses nothing and leaves no server behind."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap.run import LOCK_FILE
from engine.storage.data_directory import read_lock
from tests.support.network import Network, free_port, gentorrent, gone

pytestmark = pytest.mark.timeout(180)


class Hosts(Network):
    """Engines without a network at first."""

    def engine(self, name: str) -> None:
        self.launch(name, "node", "--data", str(self.folder / name), "--api-port", "0")
        self.wait(name, lambda _: True, 120)

    def ask(self, name: str, *arguments: str) -> Any:
        """What ``gentorrent network ...`` prints as JSON."""
        told = gentorrent("network", *arguments, "--json", "--data", str(self.folder / name))
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    def refused(self, name: str, *arguments: str) -> str:
        """Why it does not do that."""
        told = gentorrent("network", *arguments, "--data", str(self.folder / name))
        assert told.returncode != 0
        assert "Traceback" not in told.stderr
        return " ".join(told.stderr.split())

    def server(self, name: str) -> int:
        """The process that serves the hosted network; 0: none."""
        lock = read_lock(self.folder / name / "bootstrap" / LOCK_FILE)
        return lock.pid if lock is not None else 0


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Hosts]:
    network = Hosts(tmp_path)
    with network:
        network.engine("host")
        yield network


def test_who_is_invited_joins_and_both_see_each_other(network: Hosts) -> None:
    port = str(free_port())
    hosting = network.ask("host", "host", "--name", "Attic", "--reach", "machine", "--port", port)
    assert (hosting["status"], hosting["name"], hosting["private"]) == ("running", "Attic", True)
    network.stop("host")
    network.engine("host")  # and is in its own network
    network.wait("host", lambda state: state.network.bootstrap_connected, 120)
    network.engine("guest")
    ids = network.ask("guest", "hosted")["ids"]
    for_another = network.ask("host", "invite", "--for", hosting["ids"][0])
    assert "for another machine" in network.refused("guest", "join", for_another["text"])
    made = network.ask("host", "invite", "--label", "desk", "--for", ids[0], "--for", ids[1])
    assert "incomplete or mistyped" in network.refused("guest", "join", made["text"][:-4])
    assert "neither an invitation" in network.refused("guest", "join", "come in")
    assert gentorrent("network", "join", made["text"], "--data", str(network.folder / "guest")).returncode == 0
    network.stop("guest")
    network.engine("guest")
    for name in ("host", "guest"):
        network.wait(name, lambda state: state.network.nodes == 2 and state.network.links > 0, 120)
    for name, other in (("host", "guest"), ("guest", "host")):
        while network.node_id(other) not in {link["peer"] for link in network.ask(name, "show")["links"]}:
            time.sleep(0.3)
    invitations = {one["label"]: one for one in network.ask("host", "hosted")["invitations"]}
    assert invitations["desk"]["status"] == "in_use"
    assert invitations["desk"]["node"] == network.node_id("guest")
    network.ask("host", "revoke", invitations["desk"]["invitation"][:8])
    network.wait("guest", lambda state: "revoked" in state.network.reason, 120)


def test_a_server_ends_with_its_engine_and_comes_back_with_it(network: Hosts) -> None:
    network.ask("host", "host", "--name", "Attic", "--open", "--reach", "machine", "--port", str(free_port()))
    server = network.server("host")
    assert server
    network.kill("host")
    assert not gone({server}, 60)
    network.engine("host")
    network.wait("host", lambda state: state.network.status == "ready" or state.network.bootstrap_connected, 120)
    assert network.server("host") not in (0, server)
    assert "open" in network.refused("host", "invite")
    assert network.ask("host", "stop")["status"] == "off"
    while network.server("host"):  # its lock goes a moment after its last word
        time.sleep(0.05)
    network.stop("host")
    network.engine("host")
    assert network.ask("host", "hosted")["status"] == "off", "it stays off until it is wanted again"


def test_what_cannot_be_hosted_is_said_and_leaves_nothing(network: Hosts) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = network.refused("host", "host", "--name", "Attic", "--port", port)
        assert f"Another program uses the port {port}" in refused
    assert "--name NAME" in network.refused("host", "host", "--port", port)
    assert "could reach this machine" in network.refused(
        "host", "host", "--name", "Attic", "--reach", "internet", "--url", "http://"
    )
    assert "No network was made" in network.refused("host", "invite")
    assert network.ask("host", "hosted")["status"] == "none"
    network.ask("host", "host", "--name", "Attic", "--reach", "machine", "--port", port, "--no-join")
    assert "was made on this machine already" in network.refused("host", "host", "--name", "Cellar")
    assert "not the id" in network.refused("host", "invite", "--for", "nobody")
    assert "no invitation begins" in network.refused("host", "revoke", "zz")
    network.ask("host", "stop")
    assert "does not run" in network.refused("host", "invite")


def test_a_server_that_somebody_else_runs_is_used(network: Hosts) -> None:
    port = str(free_port())
    network.ask("host", "host", "--name", "Attic", "--reach", "machine", "--port", port)
    network.ask("host", "stop")
    data = str(network.folder / "host" / "bootstrap")
    network.launch("server", "bootstrap", "--data", data, "--port", port)
    network.port = int(port)
    network.until_served()
    assert network.ask("host", "host", "--reach", "machine", "--port", port)["status"] == "elsewhere"
    assert network.ask("host", "invite")["text"]
    network.stop("server")
    hosting = network.ask("host", "hosted")
    while hosting["status"] != "running":
        hosting = network.ask("host", "hosted")
