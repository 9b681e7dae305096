"""Real processes: the bootstrap server is killed while nodes run and answer, and its mirror stands in meanwhile."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, free_port, gentorrent

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]
QUESTION = "Who introduces us now?"


def add_mirror(network: Network) -> str:
    """As the operator guide says: start it, admit its key, start the server anew. Its address."""
    port = free_port()
    data = network.folder / "mirror"
    eventually(network, "The server is ready", "bootstrap")
    network.launch("mirror", "bootstrap", "--mirror", network.address, "--port", str(port), "--data", str(data))
    line = eventually(network, r"mirrors = \[\"[0-9a-f]{64}\"\]")
    (network.folder / "bootstrap" / "bootstrap.toml").write_text(line + "\n")
    network.stop("bootstrap")
    network.start_server()
    eventually(network, "has admitted this mirror")
    return f"http://127.0.0.1:{port}#{network.address.partition('#')[2]}"


def eventually(network: Network, pattern: str, name: str = "mirror", seconds: float = 120.0) -> str:
    """What a process writes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = re.search(pattern, network.log(name))
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"{pattern} was not said: {network.log('mirror')}")


def test_a_network_outlives_its_server_by_its_mirror(tmp_path: Path) -> None:
    with Network(tmp_path) as network:
        network.found("--paths", "2", "--needed", "1", "--hops", "1")
        server, mirror = network.address, add_mirror(network)
        network.address = f"{server},{mirror}"
        network.node("serving", "--contribute", BUILTIN_MODEL, "--no-relay", "--max-tokens-per-second", "10")
        for name in ("one", "two"):
            network.node(name)
        network.node("asking", "--no-relay")
        network.wait_ready("asking", 2, 1)
        # Killed in the middle of an answer, which goes on.
        answer = Answer(network.openai("asking"), QUESTION, max_tokens=60, min_tokens=60).read(5)
        network.kill("bootstrap")
        assert answer.read().error is None
        assert answer.tokens == 60
        for name in ("asking", "serving", "one", "two"):
            network.wait(name, lambda state: state.network.bootstrap_connected and state.network.relays == 2, 120)
        # Somebody who was never here comes by the mirror alone.
        network.address = mirror
        network.node("new", "--no-relay")
        network.wait_ready("new", 2, 1)
        assert Answer(network.openai("new"), QUESTION, max_tokens=5).read().error is None
        # A listed relay that was killed comes back by the mirror, and carries again.
        network.address = f"{server},{mirror}"
        network.kill("one")
        network.wait("new", lambda state: state.network.paths < 2, 120)
        network.node("one")
        network.wait("new", lambda state: state.network.paths == 2, 120)
        assert Answer(network.openai("new"), QUESTION, max_tokens=5).read().error is None
        # The server is back: what is new is listed, for those at the mirror, too.
        network.start_server()
        network.node("three")
        for name in ("asking", "new"):
            network.wait(name, lambda state: state.network.relays == 3 and state.network.bootstrap_connected, 120)


def test_a_wrong_address_of_a_server_to_mirror_is_told(tmp_path: Path) -> None:
    for arguments, said in (
        (["--mirror", "http://127.0.0.1:9"], "URL#NETWORKID"),
        (["--mirror", f"http://127.0.0.1:9#{'0' * 64}"], "for the first time while it can"),
        (["--mirror", "nonsense"], "not the address"),
        (["--init", "--mirror", f"http://127.0.0.1:9#{'0' * 64}"], "leave out --init"),
    ):
        told = gentorrent("bootstrap", *arguments, "--data", str(tmp_path / "mirror"))
        assert told.returncode != 0
        assert said in told.stderr
        assert "Traceback" not in told.stderr
