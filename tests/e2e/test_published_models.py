"""A lab publishes a model from a hub on loopback; two strangers fetch and serve it; a fourth gets an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.support.hub import LoopbackHub
from tests.support.network import Answer, Network, direct_network
from tests.support.publishing import PUBLISHER, Commands, lab_hub

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    with lab_hub(tmp_path) as served:
        yield served


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with direct_network(tmp_path / "net") as made:
        yield made


def test_from_the_lab_to_an_answer(network: Network, hub: LoopbackHub) -> None:
    commands = Commands(network, hub)
    model, fingerprint = commands.publish()
    assert model == f"{fingerprint}/our-model"

    servers = ("one", "two")
    for name in servers:
        network.node(name, "--no-relay")
    for name in servers:
        commands.until_known(name, model)
        commands.run(name, "download", model, "--yes")
        network.stop(name)
        network.node(name, "--contribute", model)
    refused = network.wait(
        "one",
        lambda state: state.contributing.status == "failed" and fingerprint in state.contributing.reason,
        120,
    )
    assert refused.contributing.words["reason"][0].code == "publisher.untrusted"
    for name in servers:
        assert commands.json(name, "publishers", "trust", fingerprint, "--yes")["name"] == PUBLISHER
        network.wait(name, lambda state: state.contributing.status == "on", 120)

    network.node("asking")
    state = network.wait(
        "asking", lambda state: any(one.id == model and one.nodes == 2 and one.publisher for one in state.models), 120
    )
    shown = next(one for one in state.models if one.id == model)
    assert (shown.publisher, shown.fingerprint) == (PUBLISHER, fingerprint)
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
    network.wait("one", lambda state: state.contributing.status == "failed", 90)
    network.wait("asking", lambda state: any(one.id == model and one.nodes == 1 for one in state.models), 120)
    withdrawn = commands.json(
        "lab", "withdraw", "our-model", "--reason", "Found a mistake.", "--bootstrap", network.address
    )
    assert withdrawn["told"] == "network"


def _error(network: Network, model: str) -> tuple[int, str]:
    with pytest.raises(openai.APIStatusError) as told:
        Answer(network.openai("asking"), "Who are you?", model=model, max_tokens=4).read()
    return told.value.status_code, str(told.value.code)
