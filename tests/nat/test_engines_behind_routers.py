"""The program itself: a bootstrap server with a TURN server, and engines behind the strictest routers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.nat.laboratory import COTURN, ROOT, SECRET, Laboratory, Side
from tests.support.network import GENTORRENT, clean_environment, gentorrent

SERVER = "203.0.113.3"
"""The bootstrap server's address; it listens on 443, the one port that every router here lets out."""


class Engines:
    """Programs in namespaces, all with their data below one folder."""

    def __init__(self, laboratory: Laboratory, folder: Path) -> None:
        self.laboratory = laboratory
        self.folder = folder
        self.sides: dict[str, Side] = {}
        self.address = ""

    def run(self, side: Side, *command: str) -> subprocess.CompletedProcess[str]:
        """A program on the side's machine, to its end."""
        return subprocess.run(
            ["ip", "netns", "exec", side.namespace, *command],
            capture_output=True,
            text=True,
            timeout=180,
            env=clean_environment(),
            cwd=ROOT,
            check=False,
        )

    def launch(self, name: str, side: Side, *arguments: str) -> None:
        """``gentorrent ARGUMENTS`` on the side's machine, until the laboratory is closed."""
        self.sides[name] = side
        log = (self.folder / f"{name}.log").open("wb")
        self.laboratory.launch(side, [GENTORRENT, *arguments], clean_environment(), log)
        log.close()

    def found(self) -> None:
        """A network of one-relay paths, and its server."""
        data = str(self.folder / "bootstrap")
        where = ("--host", SERVER, "--port", "443", "--data", data)
        made = gentorrent("bootstrap", "--init", "--hops", "1", "--paths", "1", "--needed", "1", *where)
        assert made.returncode == 0, made.stderr
        found = re.search(r"--bootstrap (http://\S+#[0-9a-f]{64})", made.stdout)
        assert found, made.stdout
        self.address = found[1]
        secret = self.folder / "turn-secret"
        secret.write_text(SECRET)
        turn = [option for url in self.laboratory.turn_urls()[:3] for option in ("--turn", url)]
        side = self.laboratory.server(SERVER)
        self.launch("server", side, "bootstrap", *where, "--turn-secret-file", str(secret), *turn)

    def node(self, name: str, kind: str, *options: str) -> None:
        """``gentorrent node`` behind a router of this kind."""
        data, authority = str(self.folder / name), str(self.laboratory.authority)
        options = ("--data", data, "--api-port", "0", "--turn-ca", authority, *options)
        self.launch(name, self.laboratory.side(kind), "node", "--bootstrap", self.address, *options)

    def wait(self, name: str, wanted: Callable[[Any], bool], seconds: float = 120.0) -> Any:
        """The engine's state, once it is ``wanted``."""
        until = time.monotonic() + seconds
        state: Any = None
        while time.monotonic() < until:
            result = self.run(self.sides[name], sys.executable, "-m", "tests.nat.state", str(self.folder / name))
            if result.returncode == 0:
                state = json.loads(result.stdout)
                if wanted(state):
                    return state
            time.sleep(0.3)
        log = (self.folder / f"{name}.log").read_text()[-2000:]
        raise AssertionError(f"{name} is not as it should be: {state}\n{log}")


@pytest.fixture
def engines(laboratory: Laboratory, tmp_path: Path) -> Engines:
    made = Engines(laboratory, tmp_path)
    made.found()
    return made


def test_a_question_crosses_the_strictest_routers(engines):
    engines.node("model", "only-443", "--no-relay", "--contribute", BUILTIN_MODEL)
    engines.node("relay", "symmetric")
    engines.node("client", "udp-blocked", "--no-relay")
    state = engines.wait("client", lambda state: state["network"]["status"] == "ready" and has_model(state))
    network = state["network"]
    assert (network["links"], network["links_relayed"]) == (1, 1)
    assert network["turn_server"] == f"turn:{COTURN}:3478?transport=tcp"
    assert network["udp_blocked"]
    model = engines.wait("model", lambda state: state["network"]["links_relayed"] >= 1)["network"]
    assert model["turn_server"] == f"turns:{COTURN}:443?transport=tcp"
    asked = engines.run(
        engines.sides["client"],
        *(GENTORRENT, "chat", "--route", "network", "--question", "What is a relay?", "--json"),
        *("--max-tokens", "12", "--data", str(engines.folder / "client")),
    )
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["answer"], answer
    logs = "".join(path.read_text() for path in engines.folder.glob("*.log"))
    assert SECRET not in logs
    assert "192.168." not in logs  # nobody's address


def has_model(state: Any) -> bool:
    """Whether the network offers the built-in model."""
    return any(model["id"] == BUILTIN_MODEL and model["nodes"] for model in state["models"])
