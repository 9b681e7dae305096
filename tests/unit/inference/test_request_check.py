"""Requests that no worker could read are refused by name, and nothing else is ever raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequestError
from engine.inference.request_check import (
    MAX_DEPTH,
    MAX_TOOLS,
    check_request,
    check_template_options,
    check_tool_calls,
    check_tools,
    checked_constraint,
    missing_abilities,
    unable,
)
from engine.inference.types import Constraint, GenerationRequest, ModelInfo, PromptMessage
from engine.wire.answer import Sampling

TOOL = {"type": "function", "function": {"name": "f", "description": None, "parameters": None}}


def request(**changes: object) -> GenerationRequest:
    values: dict[str, object] = {
        "model_id": "m",
        "messages": (PromptMessage("user", "why?"),),
        "sampling": Sampling(seed=1),
    }
    return GenerationRequest(**{**values, **changes})


def test_what_is_asked_is_asked_once() -> None:
    check_request(request())
    check_request(request(messages=(), prompt="Once"))
    check_request(request(messages=(), prompt_tokens=(1,)))
    for wrong in ({"messages": ()}, {"prompt": "x"}, {"prompt_tokens": (1,)}):
        with pytest.raises(InvalidRequestError, match="either messages or a prompt"):
            check_request(request(**wrong))


def test_names_of_tools_come_back() -> None:
    assert check_tools(json.dumps([TOOL])) == ("f",)
    many = [{"type": "function", "function": {"name": f"f{number}"}} for number in range(MAX_TOOLS)]
    assert len(check_tools(json.dumps(many))) == MAX_TOOLS


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("check", [check_tools, check_tool_calls, check_template_options])
def test_depth_is_bounded(check) -> None:
    for levels in (MAX_DEPTH + 1, 900, 100_000):
        with pytest.raises(InvalidRequestError):
            check(nested(levels))
    schema = '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH
    assert checked_constraint("json_schema", schema).text == schema
    with pytest.raises(InvalidRequestError, match="nested"):
        checked_constraint("json_schema", '{"a":' + schema + "}")


def test_options_of_the_template_cannot_take_its_place() -> None:
    check_template_options('{"enable_thinking": false, "x": [1, {"y": null}]}')
    for name in ("chat_template", "messages", "tools", "add_generation_prompt", "tokenize", "a-b", "", "x" * 65):
        with pytest.raises(InvalidRequestError):
            check_template_options(json.dumps({name: 1}))


def test_constraints() -> None:
    assert checked_constraint("json_object", "ignored") == Constraint("json_object")
    for kind, text in (("regex", "a"), ("lark", "start: "), ("", "{}"), ("json_schema", "[]"), ("json_schema", "{")):
        with pytest.raises(InvalidRequestError):
            checked_constraint(kind, text)


def test_what_a_model_lacks_is_found_and_named() -> None:
    info = ModelInfo(
        model_id="m", digest=b"", tokenizer_digest=b"", context_length=1, slots=1, tools=False, token_ids=False
    )
    wanted = request(tools="[]", sampling=Sampling(seed=1, logit_bias=((1, 1.0),)), top_logprobs=0)
    assert missing_abilities(wanted, info) == ("logit_bias", "tools")
    assert missing_abilities(request(), info) == ()
    error = unable("m", ("logit_bias", "tools"), "on this machine")
    assert "on this machine" in str(error)
    assert "tools" in str(error)
    assert error.parameter == "logit_bias"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "function", "name", "arguments", "parameters", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
texts = st.text(max_size=40) | values.map(json.dumps)


@given(texts, texts, texts, st.text(max_size=20), texts)
def test_nothing_but_refusals_comes_out(tools: str, calls: str, options: str, choice: str, schema: str) -> None:
    message = PromptMessage("assistant", "", tool_calls=calls)
    try:  # anything else that is raised fails the test
        check_request(
            request(
                messages=(message,),
                tools=tools,
                tool_choice=choice,
                template_options=options,
                constraint=Constraint("json_schema", schema),
            )
        )
    except InvalidRequestError:
        return
    assert json.loads(schema).keys() is not None
