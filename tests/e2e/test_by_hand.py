"""A network started with the documented commands, used through the official client of the OpenAI API.

It is watched from its first packet to its last, and the last tests look at what its wire and its disks show.
"""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from engine.inference.models.installed import BUILTIN_MODEL
from tests.conftest import may_capture
from tests.support.capture import Capture, disguises, is_dtls
from tests.support.network import Answer, Network, free_port, gentorrent

pytestmark = pytest.mark.timeout(120)
QUESTION = "Who can read my question?"
RELAYS = 12


@dataclass
class ByHand:
    """``model`` serves, ``client`` asks; both were started with the documented commands and relay, too."""

    network: Network
    capture: Capture | None


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    with Network(tmp_path_factory.mktemp("by-hand")) as network:
        network.found()
        with Capture(network.port) if may_capture() else nullcontext() as capture:
            network.relays("relays", RELAYS)
            network.node("model", "--contribute", "gentorrent-builtin", "--log-level", "debug")
            network.node("client", "--log-level", "debug")
            network.wait_ready("client", RELAYS + 2, 1)
            yield ByHand(network, capture)


@pytest.fixture
def client(by_hand: ByHand) -> openai.OpenAI:
    return by_hand.network.openai("client")


def test_models_are_listed(client: openai.OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert (models[BUILTIN_MODEL].model_extra or {})["gentorrent"]["nodes"] == 1


def test_an_answer_streams_with_real_usage_and_a_receipt(by_hand: ByHand, client: openai.OpenAI) -> None:
    answer = Answer(client, QUESTION, min_tokens=20, max_tokens=40).read()
    assert answer.error is None
    assert len(answer.pieces) > 5
    assert 20 <= answer.tokens <= 40
    assert answer.prompt_tokens > 3
    assert answer.extension["receipt_verified"] is True
    assert answer.extension["served_by"] == by_hand.network.state("model").node_id
    relays = [relay for path in answer.paths for relay in path]
    assert [len(path) for path in answer.paths] == [3, 3, 3, 3]
    assert len(set(relays)) == 12


def test_the_receipt_is_verified_by_the_command_line(by_hand: ByHand, client: openai.OpenAI) -> None:
    answer = Answer(client, QUESTION, max_tokens=12).read()
    file = by_hand.network.folder / "receipt.json"
    file.write_text(json.dumps(answer.extension["receipt"]))
    good = gentorrent("receipt", "verify", str(file))
    assert good.returncode == 0, good.stdout + good.stderr
    file.write_text(json.dumps(answer.extension["receipt"]).replace("1", "2", 1))
    assert gentorrent("receipt", "verify", str(file)).returncode != 0
    file.unlink()


def test_an_answer_in_one_piece(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=BUILTIN_MODEL, messages=[{"role": "user", "content": QUESTION}], max_tokens=8
    )
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert 1 <= answer.usage.completion_tokens <= 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert (answer.model_extra or {})["gentorrent"]["receipt_verified"] is True


def test_the_same_seed_gives_the_same_text_here_and_there(client: openai.OpenAI) -> None:
    """Over the network twice, in one piece, and on this machine: the sampler has no other source of chance."""
    choices = {"seed": 7, "temperature": 4.0, "min_tokens": 30, "max_tokens": 30}
    first = Answer(client, "Tell me a story", **choices).read()
    second = Answer(client, "Tell me a story", **choices).read()
    here = Answer(client, "Tell me a story", gentorrent={"route": "local"}, **choices).read()
    other = Answer(client, "Tell me a story", **{**choices, "seed": 8}).read()
    assert first.tokens == 30
    assert first.text == second.text == here.text
    assert here.extension["served_by"] == "local"
    assert other.text != first.text


SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["guard", "proxy"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["kind", "count"],
    "additionalProperties": False,
}


def test_forms_and_log_probabilities_are_the_same_here_and_there(client: openai.OpenAI) -> None:
    answers = [
        client.chat.completions.create(
            model=BUILTIN_MODEL,
            messages=[{"role": "user", "content": QUESTION}],
            seed=9,
            temperature=3,
            logprobs=True,
            top_logprobs=2,
            response_format={"type": "json_schema", "json_schema": {"name": "part", "schema": SCHEMA}},
            extra_body={"gentorrent": {"route": route}},
        )
        for route in ("network", "local")
    ]
    there, here = (answer.choices[0] for answer in answers)
    assert (answers[0].model_extra or {})["gentorrent"]["receipt_verified"] is True
    assert json.loads(there.message.content or "")["kind"] in ("guard", "proxy")
    assert there.message.content == here.message.content
    assert there.logprobs is not None
    assert there.logprobs == here.logprobs
    assert answers[0].usage is not None
    assert len(there.logprobs.content or ()) == answers[0].usage.completion_tokens


def test_several_answers_come_over_one_chats_paths(client: openai.OpenAI) -> None:
    asked = {"model": BUILTIN_MODEL, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8}
    reply = client.chat.completions.create(**asked, n=3, seed=4, temperature=5)  # type: ignore[call-overload]
    extensions = [choice.model_extra["gentorrent"] for choice in reply.choices]
    assert [extension["receipt_verified"] for extension in extensions] == [True] * 3
    assert [extension["seed"] for extension in extensions] == [4, 5, 6]
    assert extensions[0]["paths"] == extensions[1]["paths"] == extensions[2]["paths"]


def test_a_plain_prompt_is_continued_the_same_here_and_there(client: openai.OpenAI) -> None:
    there, here = (
        client.completions.create(
            model=BUILTIN_MODEL, prompt="A guard is", seed=3, extra_body={"gentorrent": {"route": route}}
        )
        for route in ("network", "local")
    )
    assert there.choices[0].text == here.choices[0].text
    assert (there.model_extra or {})["gentorrent"]["receipt_verified"] is True


def test_what_is_wrong_with_a_request_is_named_across_the_network(client: openai.OpenAI) -> None:
    wrong = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "wizard"}}}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=BUILTIN_MODEL,
            messages=[{"role": "user", "content": QUESTION}],
            response_format=wrong,  # type: ignore[call-overload]
        )
    assert caught.value.param == "response_format"


def test_stop_strings_end_an_answer(client: openai.OpenAI) -> None:
    choices = {"seed": 3, "temperature": 0, "max_tokens": 40}
    whole = Answer(client, QUESTION, **choices).read().text
    word = whole.split()[3]
    stopped = Answer(client, QUESTION, stop=[word], **choices).read()
    assert stopped.text == whole[: whole.index(word)]
    assert stopped.finish_reason == "stop"


def test_an_unknown_model_is_named(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as told:
        Answer(client, QUESTION, model="no-such-model")
    assert told.value.code == "model_not_found"
    assert "no-such-model" in str(told.value)


def test_a_wrong_token_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()


@pytest.mark.parametrize("words", [6_000, 60_000])
def test_a_prompt_that_is_too_long_is_refused(client: openai.OpenAI, words: int) -> None:
    """Longer than the model's context, and longer than anything that fits a request."""
    with pytest.raises(openai.BadRequestError) as told:
        Answer(client, "word " * words)
    assert told.value.code == ("context_length_exceeded" if words == 6_000 else "invalid_request")
    assert "horten" in str(told.value)


def test_malformed_json_is_refused(client: openai.OpenAI) -> None:
    status, error = _post(client, b'{"model": "gentorrent-builtin", ')
    assert status == 400
    assert "JSON" in error["message"]
    assert error["type"] == "invalid_request_error"


def test_an_oversized_body_is_refused(client: openai.OpenAI) -> None:
    status, error = _post(client, b'{"model": "' + b"x" * 2_000_000 + b'"}')
    assert status == 413
    assert error["code"] == "body_too_large"


def test_the_network_answers_after_all_that(by_hand: ByHand, client: openai.OpenAI) -> None:
    assert Answer(client, QUESTION, max_tokens=8).read().error is None
    by_hand.network.check()


# What an observer of the wire and of the disks learns

MARKER = "Zanzibarquokka7351"
IN_THE_CLEAR = "Wombatmadagascar9264"
MARKED = f"Who can read my question about {MARKER}?"


@pytest.fixture(scope="module")
def marked(by_hand: ByHand) -> Answer:
    """One answer over the watched network, long enough for its text to be unmistakable."""
    told = Answer(by_hand.network.openai("client"), MARKED, min_tokens=30, max_tokens=40, temperature=1.3).read()
    assert told.error is None
    assert len(told.text) > 60
    return told


@pytest.mark.raw_capture
def test_the_wire_shows_dtls_and_neither_question_nor_answer(by_hand: ByHand, marked: Answer) -> None:
    capture = by_hand.capture
    assert capture is not None
    by_hand.network.stop("client")  # its farewells are on the wire, too
    capture.__exit__(None, None, None)
    assert capture.dropped == 0
    assert sum(is_dtls(datagram) for datagram in capture.datagrams) > 1000
    assert len(capture.ports) > 20
    secrets = [MARKER, MARKED[:24], marked.text[:24], marked.text[-24:], marked.text[20:44]]
    udp, tcp = b"\n".join(capture.datagrams), b"\n".join(capture.streams())
    assert b"/v1/signaling" in tcp  # the server's port is the one that was watched
    for secret in secrets:
        for disguise in disguises(secret):
            assert disguise not in udp
            assert disguise not in tcp


@pytest.mark.raw_capture
@pytest.mark.parametrize("kind", range(7))
def test_the_capture_would_show_a_question_in_the_clear(kind: int) -> None:
    """The same look, at a datagram and a connection that do carry the marker in each of its disguises."""
    # Another marker than the watched network's, so that a capture beside this one cannot take it for that.
    hidden = disguises("x" * (kind - 4 if kind > 4 else 0) + IN_THE_CLEAR)[min(kind, 4)]
    with socket.create_server(("127.0.0.1", 0)) as server, Capture(server.getsockname()[1]) as capture:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"before" + hidden + b"after", ("127.0.0.1", free_port()))
        with socket.create_connection(server.getsockname()) as connection:
            taken, _ = server.accept()
            connection.sendall(b"GET /" + hidden[:9])
            taken.recv(64)
            connection.sendall(hidden[9:])
            taken.recv(64)
            taken.close()
    assert any(disguise in datagram for datagram in capture.datagrams for disguise in disguises(IN_THE_CLEAR))
    assert any(disguise in stream for stream in capture.streams() for disguise in disguises(IN_THE_CLEAR))


def test_nothing_on_disk_holds_the_question(by_hand: ByHand, marked: Answer) -> None:
    """Keys, databases, directories and logs; the nodes log all they can here."""
    folder = by_hand.network.folder
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"client.", "model.", "bootstrap.", "relays."} <= {path.name.split(".")[0] + "." for path in files}
    assert "engine.node" in by_hand.network.log("model")
    wanted = [disguise for text in (MARKER, marked.text[:24]) for disguise in disguises(text)]
    assert [path for path in files if any(disguise in path.read_bytes() for disguise in wanted)] == []


def test_secrets_on_disk_are_for_their_owner_alone(by_hand: ByHand) -> None:
    """Keys and tokens: 0600, in folders that others cannot enter."""
    if os.name == "nt":
        pytest.skip("Windows guards these by the user's profile, not by modes")
    data = by_hand.network.data("model")
    secrets: list[Path] = [data.keys, data.api_token, data.lock]
    secrets += [path for path in (by_hand.network.folder / "bootstrap").iterdir() if "key" in path.name]
    assert len(secrets) >= 4
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in secrets if path.stat().st_mode & 0o077} == {}


def _post(client: openai.OpenAI, body: bytes) -> tuple[int, dict[str, str]]:
    """What the client itself would never send."""
    request = urllib.request.Request(
        f"{client.base_url}chat/completions",
        data=body,
        headers={"Authorization": f"Bearer {client.api_key}", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=60)
    with told.value as error:
        return error.code, json.loads(error.read())["error"]
