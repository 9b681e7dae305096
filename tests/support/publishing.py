"""A lab whose model lies on a hub on loopback, and ``gentorrent models`` as its people and others type it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.hub import HubRepository, LoopbackHub, loopback_hub, sha256
from tests.support.network import Network, gentorrent
from tests.support.tiny_model import make_tiny_model

REPOSITORY = "lab/our-model"
PUBLISHER = "A Small Lab"
LICENCE = "Do with <b>our model</b> whatever you like."


@contextmanager
def lab_hub(folder: Path) -> Iterator[LoopbackHub]:
    """A hub that has the lab's model, whose files lie in ``folder``."""
    with loopback_hub() as served:
        model = make_tiny_model(folder / "our-model")
        (model / "LICENSE").write_text(LICENCE, encoding="utf-8")
        served.repositories[REPOSITORY] = HubRepository(model)
        yield served


def change_model(hub: LoopbackHub) -> None:
    """The lab has trained it anew: other weights, as another commit."""
    before = hub.repositories[REPOSITORY]
    commit = sha256(make_tiny_model(before.folder, seed=8) / "model.onnx")[:40]
    hub.repositories[REPOSITORY] = replace(before, commit=commit)


class Commands:
    """``gentorrent models`` in the data directory of one machine."""

    def __init__(self, network: Network, hub: LoopbackHub) -> None:
        self._network = network
        self._hub = hub

    def run(self, machine: str, *arguments: str, code: int = 0) -> str:
        """Its standard output; with another ``code`` what it says is wrong."""
        data = str(self._network.folder / machine)
        environment = {"HF_ENDPOINT": self._hub.endpoint, "HF_HUB_OFFLINE": "0"}
        done = gentorrent("models", *arguments, "--data", data, **environment)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stderr if code else done.stdout

    def json(self, machine: str, *arguments: str) -> dict[str, object]:
        """What it prints with ``--json``."""
        found = json.loads(self.run(machine, *arguments, "--json"))
        assert isinstance(found, dict)
        return found

    def publish(self) -> tuple[str, str]:
        """The lab signs what lies on the hub now, and the network takes it: the model's id and the fingerprint."""
        folder = str(self._hub.repositories[REPOSITORY].folder)
        lab = ("publish", folder, "--publisher", PUBLISHER, "--licence", "mit", "--hub", REPOSITORY)
        made = self.json("lab", *lab, "--bootstrap", self._network.address)
        assert made["told"] == "network"
        return str(made["id"]), str(made["fingerprint"])

    def until_known(self, machine: str, model: str) -> None:
        """Wait until a machine has heard of a published model."""
        end = time.monotonic() + 120
        while model not in self.run(machine, "published"):
            assert time.monotonic() < end
            time.sleep(0.5)
