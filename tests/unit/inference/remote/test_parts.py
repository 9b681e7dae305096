"""What the remote back end is made of: addresses, requests, the stream's grammar, places. No sockets."""

import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError, InvalidRequestError, OverloadedError, RemoteServerError
from engine.inference.remote.places import Places
from engine.inference.remote.request import request_body
from engine.inference.remote.settings import FEATURES, RemoteSettings, checked_base_url, is_unprotected
from engine.inference.remote.stream import MAX_EVENT, ChunkReader, EventParser
from engine.inference.types import Constraint, GenerationRequest, PromptMessage
from engine.wire.answer import Sampling


def settings_of(server="openai", **changes):
    return RemoteSettings(base_url="http://h/v1", server_model="up", model_id="m", server=server, **changes)


def request_of(**changes):
    fields = {"model_id": "m", "messages": (PromptMessage("user", "Hi"),), "sampling": Sampling(seed=5)}
    return GenerationRequest(**{**fields, **changes})


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("https://models.example/v1/", "https://models.example/v1"),
        ("http://[::1]:9/openai/v2", "http://[::1]:9/openai/v2"),
    ],
)
def test_an_address_gets_its_path(given_url, expected):
    assert checked_base_url(given_url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://h",
        "http://",
        "h:80",
        "http://h:0",
        "http://h:99999",
        "http://[x",
        "http://h /",
        "http://h/\n",
        "file:///etc",
    ],
)
def test_what_is_no_address_is_refused_and_shown(url):
    with pytest.raises(ConfigurationError, match="is not one of a web server"):
        checked_base_url(url)


@pytest.mark.parametrize("url", ["http://me:s3cret@h", "http://h?key=s3cret", "http://h#s3cret"])
def test_an_address_with_a_secret_is_refused_and_not_shown(url):
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.0.0.1/v1", False), ("http://localhost/v1", False), ("https://h/v1", False), ("http://h/v1", True)],
)
def test_questions_in_the_clear_are_noticed(url, expected):
    assert is_unprotected(url) is expected


def test_the_digest_covers_names_and_abilities():
    digests = {settings_of(server).digest for server in FEATURES}
    other = RemoteSettings(base_url="http://h/v1", server_model="up2", model_id="m")
    assert len({*digests, other.digest}) == len(FEATURES) + 1
    elsewhere = RemoteSettings(base_url="https://elsewhere/v1", server_model="up", model_id="m", api_key="k")
    assert elsewhere.digest == settings_of().digest  # an address and a key say nothing of the model


def test_everything_that_changes_the_answer_is_said_explicitly():
    sampling = Sampling(seed=(1 << 53) - 1, temperature=0.5, top_p=0.9, presence_penalty=0.1, frequency_penalty=0.2)
    body = request_body(request_of(sampling=sampling, stop=tuple("abcdef"), max_tokens=7), settings_of(), 4096)
    assert body["temperature"] == 0.5
    assert body["top_p"] == 0.9
    assert body["presence_penalty"] == 0.1
    assert body["frequency_penalty"] == 0.2
    assert 0 <= body["seed"] < 1 << 31
    assert body["stop"] == list("abcd")
    assert not {"top_k", "min_p", "repetition_penalty", "repeat_penalty", "logprobs"} & set(body)


@pytest.mark.parametrize(("server", "everything"), [("llama.cpp", 0), ("vllm", -1), ("sglang", -1)])
def test_servers_with_defaults_of_their_own_are_told_the_neutral_values(server, everything):
    body = request_body(request_of(), settings_of(server), 4096)
    assert body["top_k"] == everything
    assert body["min_p"] == 0.0
    assert body.get("repetition_penalty", body.get("repeat_penalty")) == 1.0


IMPOSSIBLE = {
    "top_k": {"sampling": Sampling(seed=1, top_k=5)},
    "min_p": {"sampling": Sampling(seed=1, min_p=0.1)},
    "repetition_penalty": {"sampling": Sampling(seed=1, repetition_penalty=1.1)},
    "logit_bias": {"sampling": Sampling(seed=1, logit_bias=((5, 1.0),))},
    "min_tokens": {"min_tokens": 5},
    "log probabilities": {"top_logprobs": 0},
    "tools": {"tools": "[]"},
    "chat template": {"template_options": '{"a": 1}'},
    "token ids": {"prompt_tokens": (1,), "messages": ()},
    "began": {"continue_tokens": (1,)},
    "json schema": {"constraint": Constraint("json_schema", "{}")},
    "regex": {"constraint": Constraint("regex", "a")},
    "tool calls": {"messages": (PromptMessage("tool", "x", tool_call_id="1"),)},
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_what_a_plain_server_cannot_do_is_refused_by_name(what):
    with pytest.raises(InvalidRequestError, match=what):
        request_body(request_of(**IMPOSSIBLE[what]), settings_of(), 4096)


def test_a_server_that_can_is_asked():
    request = request_of(
        sampling=Sampling(seed=1, top_k=5, min_p=0.1, repetition_penalty=1.1),
        min_tokens=2,
        top_logprobs=3,
        constraint=Constraint("json_schema", '{"type": "object"}'),
        cache_salt=b"s" * 32,
    )
    body = request_body(request, settings_of("vllm"), 4096)
    assert (body["top_k"], body["min_p"], body["repetition_penalty"], body["min_tokens"]) == (5, 0.1, 1.1, 2)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert body["cache_salt"]


EFFORT = '{"reasoning_effort": "none", "enable_thinking": false}'


def test_an_effort_is_a_wish_where_templates_cannot_be_told():
    assert "chat_template_kwargs" not in request_body(request_of(template_options=EFFORT), settings_of(), 4096)
    body = request_body(request_of(template_options=EFFORT), settings_of("vllm"), 4096)
    assert body["chat_template_kwargs"] == {"reasoning_effort": "none", "enable_thinking": False}
    with pytest.raises(InvalidRequestError, match="chat template"):
        request_body(request_of(template_options='{"enable_thinking": false}'), settings_of(), 4096)


def test_a_schema_that_is_not_json_is_refused():
    with pytest.raises(InvalidRequestError, match="not JSON"):
        request_body(request_of(constraint=Constraint("json_schema", "{")), settings_of("vllm"), 4096)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)), st.data())
def test_events_are_the_same_however_the_bytes_are_cut(texts, data):
    stream = "".join(f": note\r\ndata: {text}\r\nid: 1\n\n" for text in texts).encode()
    parser, rest = EventParser(), stream
    found: list[str] = []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += parser.feed(rest[:size])
        rest = rest[size:]
    assert found == texts


def test_an_event_of_several_lines_is_one():
    assert list(EventParser().feed(b"data: a\ndata: b\n\n")) == ["a\nb"]


def test_an_event_has_a_longest_size():
    parser = EventParser()
    with pytest.raises(RemoteServerError, match="bytes"):
        for _ in range(MAX_EVENT // 1000 + 2):
            list(parser.feed(b"x" * 1000))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["choices", "delta", "content", "finish_reason", "usage", "logprobs", "text", "error"]),
                inner,
            )
        ),
    )
)
def test_whatever_json_arrives_is_a_piece_or_a_clear_error(content):
    with contextlib.suppress(RemoteServerError):
        ChunkReader().read(json.dumps(content))


@pytest.mark.parametrize("value", ["1" + "0" * 400, "-1" + "0" * 400, "1e999", "NaN", "true", '"-1"', "null"])
def test_a_log_probability_that_is_no_usable_number_is_none(value):
    entry = f'{{"token": "a", "logprob": {value}}}'
    event = f'{{"choices": [{{"delta": {{"content": "a"}}, "logprobs": {{"content": [{entry}]}}}}]}}'
    assert ChunkReader().read(event).logprobs == ()


async def test_a_place_whose_turn_comes_while_its_owner_goes_is_passed_on():
    places = Places(1, 4)
    await places.enter(False)
    async with asyncio.TaskGroup() as tasks:
        first, second = tasks.create_task(places.enter(False)), tasks.create_task(places.enter(False))
        await asyncio.sleep(0)
        places.leave()  # first's turn ...
        first.cancel()  # ... but it goes
        await second
    assert places.waiting == 0
    places.leave()
    await places.enter(False)


async def test_one_who_was_cancelled_a_moment_ago_is_passed_over():
    """Cancelled, but not yet out of the queue when the place becomes free: the place is not lost."""
    places = Places(1, 4)
    await places.enter(False)
    async with asyncio.TaskGroup() as tasks:
        gone, _ = tasks.create_task(places.enter(False)), tasks.create_task(places.enter(False))
        await asyncio.sleep(0)
        gone.cancel()
        places.leave()
    assert gone.cancelled()
    places.leave()
    assert places.ahead(False) == places.waiting == 0


async def test_a_full_queue_refuses():
    places = Places(1, 0)
    await places.enter(False)
    with pytest.raises(OverloadedError):
        await places.enter(True)


def test_llama_cpp_gets_a_schema_in_the_form_that_both_its_servers_know():
    request = request_of(constraint=Constraint("json_schema", '{"type": "object"}'))
    body = request_body(request, settings_of("llama.cpp"), 4096)
    assert body["response_format"] == {"type": "json_object", "schema": {"type": "object"}}
