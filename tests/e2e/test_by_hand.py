"""A network started with the documented commands, used through the official client of the OpenAI API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import openai
import pytest

from engine.inference.catalogue import BUILTIN_MODEL
from tests.e2e.conftest import ByHand
from tests.support.network import Answer, gentorrent

pytestmark = pytest.mark.timeout(120)
QUESTION = "Who can read my question?"


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
    choices = {"seed": 7, "temperature": 1.5, "min_tokens": 30, "max_tokens": 30}
    first = Answer(client, "Tell me a story", **choices).read()
    second = Answer(client, "Tell me a story", **choices).read()
    here = Answer(client, "Tell me a story", gentorrent={"route": "local"}, **choices).read()
    other = Answer(client, "Tell me a story", **{**choices, "seed": 8}).read()
    assert first.tokens == 30
    assert first.text == second.text == here.text
    assert here.extension["served_by"] == "local"
    assert other.text != first.text


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


def _post(client: openai.OpenAI, body: bytes) -> tuple[int, dict[str, str]]:
    """What the client itself would never send."""
    request = urllib.request.Request(
        f"{client.base_url}chat/completions",
        data=body,
        headers={"Authorization": f"Bearer {client.api_key}", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(request, timeout=10)
    with told.value as error:
        return error.code, json.loads(error.read())["error"]
