"""Another server's model, donated: through the owner's local API and through the whole network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from engine.api.schema import State
from tests.support.network import Answer, Network, gentorrent
from tests.support.openai_server import OpenAiServer, Write, event, good_answer, in_a_thread, said

pytestmark = pytest.mark.timeout(120)
MODEL = "borrowed-7b"
RELAYS = 12


@dataclass
class Donated:
    """``giver`` has the server, ``asker`` knows nothing of it."""

    network: Network
    server: OpenAiServer


@pytest.fixture(scope="module")
def donated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Donated]:
    server = OpenAiServer()
    with in_a_thread(server) as url, Network(tmp_path_factory.mktemp("donated")) as network:
        network.found()
        network.relays("relays", RELAYS)
        options = ["--backend", "openai", "--backend-url", url, "--backend-model", "upstream"]
        network.node("giver", *options, "--backend-model-id", MODEL, "--contribute", MODEL)
        network.node("asker")
        network.wait("asker", offers, 120)
        yield Donated(network, server)


@pytest.fixture(autouse=True)
def well(donated: Donated) -> None:
    donated.server.script = good_answer
    donated.server.models_status = 200


def offers(state: State) -> bool:
    return state.network.status == "ready" and any(model.id == MODEL and model.nodes for model in state.models)


def test_the_owner_asks_it_through_the_local_api(donated: Donated) -> None:
    client = donated.network.openai("giver")
    answer = Answer(client, "Hi", model=MODEL, gentorrent={"route": "local"}).read()
    assert (answer.error, answer.text, answer.finish_reason) == (None, "Hello there.", "stop")
    assert (answer.prompt_tokens, answer.tokens) == (9, 3)


def test_strangers_ask_it_through_the_network_and_get_a_receipt_over_its_text(donated: Donated) -> None:
    answer = Answer(donated.network.openai("asker"), "Hi there", model=MODEL).read()
    assert (answer.error, answer.text) == (None, "Hello there.")
    assert answer.extension["receipt_verified"] is True
    assert answer.extension["served_by"] == donated.network.state("giver").node_id
    assert donated.server.bodies[-1]["messages"] == [{"role": "user", "content": "Hi there"}]


def test_what_it_cannot_do_is_refused_with_the_reason(donated: Donated) -> None:
    client = donated.network.openai("giver")
    with pytest.raises(openai.BadRequestError, match="min_tokens"):
        Answer(client, "Hi", model=MODEL, min_tokens=5, gentorrent={"route": "local"}).read()


def test_what_it_lacks_stands_in_its_descriptor_and_nobody_there_is_asked(donated: Donated) -> None:
    client = donated.network.openai("asker")
    asked = len(donated.server.bodies)
    tool = {"type": "function", "function": {"name": "f"}}
    for more, parameter in (({"tools": [tool]}, "tools"), ({"logit_bias": {"5": 1}}, "logit_bias")):
        with pytest.raises(openai.BadRequestError) as caught:
            Answer(client, "Hi", model=MODEL, **more).read()
        assert caught.value.param == parameter
    assert len(donated.server.bodies) == asked


def test_its_reasoning_comes_apart_through_the_network(donated: Donated) -> None:
    async def thoughtful(write: Write) -> None:
        await write(event({"choices": [{"index": 0, "delta": {"reasoning_content": "Greet."}}]}))
        await good_answer(write)

    donated.server.script = thoughtful
    reply = donated.network.openai("asker").chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Hi"}]
    )
    message = reply.choices[0].message
    assert (message.content, (message.model_extra or {})["reasoning_content"]) == ("Hello there.", "Greet.")


def test_a_stranger_who_goes_away_ends_the_work_there(donated: Donated) -> None:
    async def endless(write: Write) -> None:
        while True:
            await write(said("on and "))
            await asyncio.sleep(0.05)

    donated.server.script = endless
    donated.server.cut_off.clear()
    answer = Answer(donated.network.openai("asker"), "Go on", model=MODEL).read(pieces=2)
    assert answer.error is None
    answer._stream.close()
    deadline = time.monotonic() + 90
    while not donated.server.cut_off.is_set() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert donated.server.cut_off.is_set()


def test_a_server_that_fails_is_withdrawn_and_comes_back(donated: Donated) -> None:
    donated.server.models_status = 500
    network = donated.network
    network.wait(
        "giver",
        lambda state: state.contributing.status == "failed" and "status 500" in state.contributing.reason,
        90,
    )
    network.wait("asker", lambda state: not offers(state), 90)
    donated.server.models_status = 200
    network.wait("asker", offers, 120)


def test_settings_that_cannot_be_are_named(tmp_path: Path) -> None:
    refused = gentorrent("node", "--data", str(tmp_path), "--backend", "openai", "--backend-model", "x")
    assert refused.returncode == 2
    assert "--backend-url" in refused.stderr
    refused = gentorrent("node", "--data", str(tmp_path), "--backend", "grpc")
    assert refused.returncode == 2
    assert "openai" in refused.stderr
