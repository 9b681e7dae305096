"""What a chat request may hold, what is refused by name, and that no body does anything but parse or be refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.chat_request import MAX_TOKENS, SMALLEST_TOP_P, ParameterError, from_chat, parse
from engine.api.schema import Chat, ChatText, SamplingChoice
from engine.inference.types import PromptMessage
from engine.wire.answer import Sampling

BASE = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def parsed(**more):
    return parse(json.dumps({**BASE, **more}).encode())


def refused(**more) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        parsed(**more)
    return caught.value


def test_defaults_are_openai_ones():
    request = parsed()
    assert not request.stream
    assert not request.include_usage
    answer = request.answer
    assert answer.messages == (PromptMessage("user", "Hi"),)
    assert answer.sampling == Sampling(seed=answer.sampling.seed)
    assert (answer.sampling.temperature, answer.sampling.top_p) == (1.0, 1.0)
    assert (answer.max_tokens, answer.min_tokens, answer.stop) == (None, 0, ())
    assert (answer.route, answer.may_forward, answer.public_messages) == ("auto", False, 0)


def test_seeds_differ_when_none_is_given():
    assert len({parsed().answer.sampling.seed for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("seed", "used"), [(0, 0), (7, 7), (2**53 - 1, 2**53 - 1), (2**53, 0), (-1, 2**53 - 1), (-(2**63), 0)]
)
def test_seeds_fit_53_bits(seed, used):
    assert parsed(seed=seed).answer.sampling.seed == used


def test_everything_is_passed_on():
    request = parsed(
        seed=3,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        repetition_penalty=1.1,
        presence_penalty=-0.5,
        frequency_penalty=0.25,
        max_tokens=5,
        min_tokens=2,
        stop=["a", "b"],
        stream=True,
        stream_options={"include_usage": True},
        user="ignored",
        metadata={"ignored": "too"},
        unknown=1,
        gentorrent={
            "public_messages": 1,
            "public_characters": 2,
            "route": "local",
            "may_forward": True,
            "conversation": "c",
            "stages": True,
            "receipt": True,
        },
    )
    assert (request.stream, request.include_usage, request.stages, request.receipt) == (True, True, True, True)
    answer = request.answer
    assert answer.sampling == Sampling(
        seed=3,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        repetition_penalty=1.1,
        presence_penalty=-0.5,
        frequency_penalty=0.25,
    )
    assert (answer.max_tokens, answer.min_tokens, answer.stop) == (5, 2, ("a", "b"))
    assert (answer.public_messages, answer.public_characters, answer.route) == (1, 2, "local")
    assert (answer.may_forward, answer.conversation) == (True, "c")


def test_null_means_not_given():
    names = ["seed", "temperature", "top_p", "max_tokens", "stop", "stream", "stream_options", "n", "tools", "logprobs"]
    assert parsed(**dict.fromkeys(names)).answer.max_tokens is None


@pytest.mark.parametrize(
    "harmless",
    [
        {"n": 1},
        {"tools": []},
        {"tool_choice": "none"},
        {"logprobs": False},
        {"response_format": {"type": "text"}},
        {"modalities": ["text"]},
        {"logit_bias": {}},
    ],
)
def test_values_that_change_nothing_pass(harmless):
    assert parsed(**harmless)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", 0),
        ("tools", [{"type": "function"}]),
        ("tool_choice", "required"),
        ("functions", [{}]),
        ("function_call", {"name": "f"}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"5": 1}),
        ("response_format", {"type": "json_object"}),
        ("response_format", {"type": "json_schema", "json_schema": {}}),
        ("modalities", ["audio"]),
        ("audio", {}),
        ("prediction", {}),
        ("web_search_options", {}),
        ("reasoning_effort", "high"),
        ("best_of", 2),
    ],
)
def test_what_is_not_served_is_refused_by_name(name, value):
    error = refused(**{name: value})
    assert error.parameter == name
    assert error.code == "unsupported_parameter"
    assert "not served yet" in str(error)
    assert name in str(error)


@pytest.mark.parametrize(
    ("more", "parameter"),
    [
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].role"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"min_tokens": 3, "max_tokens": 2}, "min_tokens"),
        ({"seed": "x"}, "seed"),
        ({"stop": ""}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": ["x" * 501]}, "stop"),
        ({"stop": [1]}, "stop[0]"),
        ({"stream": "yes"}, "stream"),
        ({"gentorrent": {"route": "moon"}}, "gentorrent.route"),
        ({"gentorrent": {"public_messages": -1}}, "gentorrent.public_messages"),
    ],
)
def test_wrong_values_are_named(more, parameter):
    assert refused(**more).parameter in (parameter, f"{parameter}[...]", parameter.replace("[0]", "[...]"))


def test_a_missing_field_is_named():
    with pytest.raises(ParameterError) as caught:
        parse(b'{"model":"m"}')
    assert caught.value.parameter == "messages"


def test_text_parts_become_one_text():
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    request = parsed(messages=[{"role": "developer", "content": content}, {"role": "assistant", "content": None}])
    assert request.answer.messages == (PromptMessage("system", "a\nb"), PromptMessage("assistant", ""))


def test_limits_of_tokens():
    assert parsed(max_tokens=10**9).answer.max_tokens == MAX_TOKENS
    assert parsed(max_tokens=5, max_completion_tokens=6).answer.max_tokens == 6
    assert parsed(top_p=0).answer.sampling.top_p == SMALLEST_TOP_P
    assert parsed(top_k=-1).answer.sampling.top_k == 0
    assert parsed(stop="x").answer.stop == ("x",)


def test_a_control_chat_becomes_the_same_request():
    sampling = SamplingChoice(seed=4, temperature=0.0, top_k=1)
    chat = Chat(id="i", model="m", messages=(ChatText("user", "Hi"),), sampling=sampling, stop=("x",), max_tokens=3)
    answer = from_chat(chat)
    same = parsed(seed=4, temperature=0, top_k=1, stop="x", max_tokens=3).answer
    assert answer == same


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(
    ["model", "messages", "stream", "stream_options", "n", "seed", "temperature", "top_p", "top_k", "max_tokens",
     "min_tokens", "stop", "gentorrent", "tools", "response_format", "logprobs", "presence_penalty"]
)  # fmt: skip
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"])}, optional={"content": values}
    ),
    max_size=4,
)


@given(st.dictionaries(names, values, max_size=8), messages)
def test_any_json_is_parsed_or_refused(more, some_messages):
    for body in ({**BASE, **more}, {"model": "m", "messages": some_messages, **more}):
        try:
            request = parse(json.dumps(body, allow_nan=False).encode())
        except ParameterError:
            continue
        assert 0 <= request.answer.sampling.seed < 2**53
        for message in request.answer.messages:
            message.content.encode("utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(body):
    with pytest.raises(ParameterError):
        parse(body)
