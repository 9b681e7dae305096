"""A lab publishes a model from a hub on loopback; two strangers fetch and serve it; a fourth gets an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import openai
import pytest

from tests.support.hub import HubRepository, LoopbackHub, loopback_hub
from tests.support.network import Answer, Network, gentorrent
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(240)
REPOSITORY = "lab/our-model"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with loopback_hub() as served:
        served.repositories[REPOSITORY] = HubRepository(make_tiny_model(tmp_path / "our-model"))
        yield served


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path / "net") as made:
        made.found("--hops", "0")
        made.until_served()
        yield made


class Commands:
    """``gentorrent models`` in the data directory of one machine."""

    def __init__(self, network: Network, hub: LoopbackHub) -> None:
        self._network = network
        self._environment = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_OFFLINE": "0"}

    def run(self, machine: str, *arguments: str, code: int = 0) -> str:
        """Its standard output; with another ``code`` what it says is wrong."""
        data = str(self._network.folder / machine)
        done = gentorrent("models", *arguments, "--data", data, **self._environment)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stderr if code else done.stdout

    def json(self, machine: str, *arguments: str) -> dict[str, object]:
        """What it prints with ``--json``."""
        found = json.loads(self.run(machine, *arguments, "--json"))
        assert isinstance(found, dict)
        return found


def test_from_the_lab_to_an_answer(network: Network, hub: LoopbackHub, tmp_path: Path) -> None:
    commands = Commands(network, hub)
    folder = str(hub.repositories[REPOSITORY].folder)
    lab = ("publish", folder, "--publisher", "A Small Lab", "--licence", "mit", "--hub", REPOSITORY)
    made = commands.json("lab", *lab, "--bootstrap", network.address)
    model, fingerprint = str(made["id"]), str(made["fingerprint"])
    assert (made["told"], made["version"], model) == ("network", 1, f"{fingerprint}/our-model")

    servers = ("one", "two")
    for name in servers:
        network.node(name, "--no-relay")
    for name in servers:
        _until_known(commands, name, model)
        commands.run(name, "download", model, "--yes")
        network.stop(name)
        network.node(name, "--contribute", model)
    refused = network.wait("one", lambda state: state.contributing.status == "failed", 60)
    assert fingerprint in refused.contributing.reason
    assert refused.contributing.words["reason"][0].code == "publisher.untrusted"
    for name in servers:
        assert commands.json(name, "publishers", "trust", fingerprint, "--yes")["name"] == "A Small Lab"
        network.wait(name, lambda state: state.contributing.status == "on", 60)

    network.node("asking")
    state = network.wait("asking", lambda state: any(one.id == model and one.nodes == 2 for one in state.models), 90)
    shown = next(one for one in state.models if one.id == model)
    assert (shown.publisher, shown.fingerprint) == ("A Small Lab", fingerprint)
    assert (shown.reviewed, shown.confirmed) == (False, False)

    unconfirmed = _error(network, model)
    assert unconfirmed == (403, "unreviewed_model")
    commands.run("asking", "confirm", model)
    answer = Answer(network.openai("asking"), "Who are you?", model=model, max_tokens=8, min_tokens=4).read()
    assert answer.error is None
    assert answer.tokens >= 4
    assert answer.extension["served_by"] in {network.node_id(name) for name in servers}
    assert answer.extension["receipt_verified"] is True
    assert answer.extension["badge"] == "signed"
    assert "unreviewed" in str(answer.extension["badge_reason"])

    commands.run("one", "publishers", "distrust", fingerprint)
    network.wait("one", lambda state: state.contributing.status == "failed", 30)
    network.wait("asking", lambda state: any(one.id == model and one.nodes == 1 for one in state.models), 60)
    withdrawn = commands.json(
        "lab", "withdraw", "our-model", "--reason", "Found a mistake.", "--bootstrap", network.address
    )
    assert withdrawn["told"] == "network"


def _error(network: Network, model: str) -> tuple[int, str]:
    with pytest.raises(openai.APIStatusError) as told:
        Answer(network.openai("asking"), "Who are you?", model=model, max_tokens=4).read()
    return told.value.status_code, str(told.value.code)


def _until_known(commands: Commands, name: str, model: str) -> None:
    end = time.monotonic() + 60
    while model not in commands.run(name, "published"):
        assert time.monotonic() < end
        time.sleep(0.5)
