"""What a chat request may hold, what is refused by name, and that no body does anything but parse or be refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.chat_request import from_chat, parse
from engine.api.parameters import MAX_TOKENS, SMALLEST_TOP_P, ParameterError
from engine.api.schema import Chat, ChatText, SamplingChoice
from engine.errors import InvalidRequestError
from engine.inference.types import Constraint, PromptMessage
from engine.wire.answer import Sampling

BASE = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def deep(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"items": value}
    return value


def parsed(**more):
    return parse(json.dumps({**BASE, **more}).encode())


def refused(**more) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
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
    assert (answer.route, answer.may_forward, answer.public_messages) == ("auto", True, 0)


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
        {"best_of": 1},
        {"tools": []},
        {"tool_choice": "none"},
        {"tool_choice": "auto"},
        {"logprobs": False},
        {"top_logprobs": 0},
        {"response_format": {"type": "text"}},
        {"modalities": ["text"]},
        {"logit_bias": {}},
        {"functions": []},
        {"function_call": "auto"},
        {"store": True},
        {"service_tier": "auto"},
    ],
)
def test_values_that_change_nothing_pass(harmless):
    answer = parsed(**harmless, seed=1).answer
    assert answer == parsed(seed=1).answer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("functions", [{}]),
        ("function_call", {"name": "f"}),
        ("modalities", ["audio"]),
        ("audio", {}),
        ("prediction", {}),
        ("web_search_options", {}),
        ("best_of", 2),
    ],
)
def test_what_is_not_served_is_refused_by_name(name, value):
    error = refused(**{name: value})
    assert error.parameter == name
    assert error.code == "unsupported_parameter"
    assert name in str(error)


def test_several_answers_have_seeds_that_follow_one_another_and_one_chat():
    request = parsed(n=3, seed=2**53 - 2)
    assert [answer.sampling.seed for answer in request.answers] == [2**53 - 2, 2**53 - 1, 0]
    assert len({answer.conversation for answer in request.answers}) == 1
    assert request.answer.conversation
    assert parsed(n=2, gentorrent={"conversation": "mine"}).answer.conversation == "mine"
    assert parsed().answer.conversation == ""


def test_log_probabilities():
    assert parsed().answer.top_logprobs is None
    assert parsed(logprobs=True).answer.top_logprobs == 0
    assert parsed(logprobs=True, top_logprobs=5).answer.top_logprobs == 5


def test_logit_bias_becomes_pairs_by_id():
    assert parsed(logit_bias={"50": -100, "7": 2.5}).answer.sampling.logit_bias == ((7, 2.5), (50, -100.0))


def test_response_formats_become_constraints():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    constraint = parsed(response_format=wanted).answer.constraint
    assert constraint is not None
    assert (constraint.kind, json.loads(constraint.text)) == ("json_schema", schema)
    assert parsed(response_format={"type": "json_object"}).answer.constraint == Constraint("json_object")


def test_efforts_and_template_arguments_reach_the_template():
    assert parsed().answer.template_options == ""
    assert json.loads(parsed(reasoning_effort="low").answer.template_options) == {"reasoning_effort": "low"}
    both = parsed(reasoning_effort="none", chat_template_kwargs={"enable_thinking": True, "x": [1]})
    expected = {"reasoning_effort": "none", "enable_thinking": True, "x": [1]}
    assert json.loads(both.answer.template_options) == expected


@pytest.mark.parametrize(
    ("more", "parameter"),
    [
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "tool", "tool_call_id": "x"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": [CALL]}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].function"),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL | {"type": "x"}]}]}, "messages[0].tool_calls[0].type"),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL] * 200}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"n": 0}, "n"),
        ({"n": 10**9}, "n"),
        ({"n": -1}, "n"),
        ({"logit_bias": {"-1": 1}}, "logit_bias"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"99999999999": 1}}, "logit_bias"),
        ({"logit_bias": {str(token): 1 for token in range(1025)}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias[...]"),
        ({"logit_bias": {"5": "much"}}, "logit_bias[...]"),
        ({"logit_bias": [5]}, "logit_bias"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 5}, "logprobs"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": ["x"]}}},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"const": "x" * 70_000}}}},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": deep(200)}}},
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": "json_object"}, "tools": [TOOL]}, "response_format"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": {"x": 1}}, "tools"),
        ({"tools": [TOOL] * 2}, "tools[1]"),
        ({"tools": [TOOL] * 129}, "tools"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "a", "parameters": 5}}]}, "tools[0].function.parameters"),
        ({"tools": [{"type": "custom", "custom": {"name": "a"}}]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {"name": "a", "parameters": deep(200)}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "perhaps"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "absent"}}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": 5}, "tool_choice"),
        ({"chat_template_kwargs": {"chat_template": "{{ 1 }}"}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"messages": []}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"a b": 1}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"a": "x" * 5000}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": ["x"]}, "chat_template_kwargs"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"min_tokens": 3, "max_tokens": 2}, "min_tokens"),
        ({"seed": "x"}, "seed"),
        ({"stop": ""}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": ["x"] * 200_000}, "stop"),
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


def test_a_conversation_with_tools_is_passed_on():
    answer = parsed(
        tools=[TOOL],
        parallel_tool_calls=False,
        messages=[
            {"role": "user", "content": "Rain?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Ask."},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "no"}]},
            {"role": "assistant", "content": "No.", "reasoning": "Said."},
        ],
    ).answer
    assert json.loads(answer.tools) == [TOOL]
    assert not answer.parallel_tool_calls
    question, called, result, said = answer.messages
    assert json.loads(called.tool_calls) == [CALL]
    assert (called.content, called.reasoning, said.reasoning) == ("", "Ask.", "Said.")
    assert result == PromptMessage("tool", "no", tool_call_id="c1", name="weather")
    assert question == PromptMessage("user", "Rain?")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ""),
        (None, ""),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "weather"}}, "function:weather"),
    ],
)
def test_choices_of_tools(choice, expected):
    assert parsed(tools=[TOOL], tool_choice=choice).answer.tool_choice == expected


@pytest.mark.parametrize(("mode", "expected"), [("auto", ""), ("required", "required")])
def test_allowed_tools_are_the_only_ones_shown(mode, expected):
    other = {"type": "function", "function": {"name": "other"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [other]}}
    answer = parsed(tools=[TOOL, other], tool_choice=allowed).answer
    assert json.loads(answer.tools) == [other]
    assert answer.tool_choice == expected
    allowed["allowed_tools"]["tools"] = [{"type": "function", "function": {"name": "absent"}}]
    assert refused(tools=[TOOL, other], tool_choice=allowed).parameter == "tool_choice"


def test_a_format_is_no_hindrance_where_no_tool_may_be_called():
    assert parsed(tools=[TOOL], tool_choice="none", response_format={"type": "json_object"}).answer.constraint


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999"])
@pytest.mark.parametrize("name", [b"temperature", b"top_p", b"presence_penalty", b"min_p"])
def test_numbers_that_are_none_are_refused(name, number):
    with pytest.raises(ParameterError):
        parse(b'{"model":"m","messages":[{"role":"user","content":"x"}],"' + name + b'":' + number + b"}")
    with pytest.raises(ParameterError):
        parse(b'{"model":"m","messages":[{"role":"user","content":"x"}],"logit_bias":{"5":' + number + b"}}")


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
     "min_tokens", "stop", "gentorrent", "tools", "tool_choice", "response_format", "logprobs", "top_logprobs",
     "logit_bias", "presence_penalty", "chat_template_kwargs", "reasoning_effort", "parallel_tool_calls"]
)  # fmt: skip
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
        optional={"content": values, "tool_calls": values, "tool_call_id": values, "reasoning": values},
    ),
    max_size=4,
)


@given(st.dictionaries(names, values, max_size=8), messages)
def test_any_json_is_parsed_or_refused(more, some_messages):
    for body in ({**BASE, **more}, {"model": "m", "messages": some_messages, **more}):
        try:
            request = parse(json.dumps(body, allow_nan=False).encode())
        except InvalidRequestError:
            continue
        assert 0 <= request.answer.sampling.seed < 2**53
        for message in request.answer.messages:
            message.content.encode("utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(body):
    with pytest.raises(ParameterError):
        parse(body)
