"""What a plain completion request may hold, and what is refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.completion_request import DEFAULT_MAX_TOKENS, parse
from engine.api.parameters import MAX_CHOICES
from engine.errors import InvalidRequestError


def parsed(**more):
    return parse(json.dumps({"model": "m", "prompt": "Once", **more}).encode())


def test_defaults_are_openai_ones():
    request = parsed()
    assert not request.stream
    assert (request.answer.prompt, request.answer.messages, request.answer.max_tokens) == ("Once", (), 16)
    assert DEFAULT_MAX_TOKENS == 16
    assert parsed(max_tokens=5).answer.max_tokens == 5
    assert request.answer.top_logprobs is None


def test_prompts_of_all_kinds():
    assert [answer.prompt for answer in parsed(prompt=["a", "b"]).answers] == ["a", "b"]
    assert parsed(prompt=[1, 2]).answer.prompt_tokens == (1, 2)
    assert [answer.prompt_tokens for answer in parsed(prompt=[[1], [2, 3]]).answers] == [(1,), (2, 3)]


def test_several_answers_to_several_prompts():
    request = parsed(prompt=["a", "b"], n=2, seed=5, best_of=2)
    assert [(answer.prompt, answer.sampling.seed) for answer in request.answers] == [
        ("a", 5),
        ("a", 6),
        ("b", 5),
        ("b", 6),
    ]
    assert request.n == 2
    assert len({answer.conversation for answer in request.answers}) == 1


def test_log_probabilities_and_echo():
    assert parsed(logprobs=0).answer.top_logprobs == 0
    request = parsed(logprobs=5)
    assert (request.answer.top_logprobs, request.logprobs) == (5, True)
    assert parsed(echo=True).echo


@pytest.mark.parametrize(
    ("more", "parameter"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt[1]"),
        ({"prompt": ["a", 5]}, "prompt[1]"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": [2**31]}, "prompt"),
        ({"prompt": [1.5]}, "prompt[0]"),
        ({"prompt": [True]}, "prompt[0]"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"prompt": ["x"] * (MAX_CHOICES + 1)}, "prompt"),
        ({"prompt": ["x"] * MAX_CHOICES, "n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"n": 1000}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"suffix": "end"}, "suffix"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": -1}, "logprobs"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"echo": True, "prompt": [1, 2]}, "echo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"min_tokens": 17}, "min_tokens"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"temperature": -1}, "temperature"),
    ],
)
def test_wrong_values_are_named(more, parameter):
    with pytest.raises(InvalidRequestError) as caught:
        parsed(**more)
    assert caught.value.parameter == parameter


def test_a_missing_prompt_is_named():
    with pytest.raises(InvalidRequestError) as caught:
        parse(b'{"model":"m"}')
    assert caught.value.parameter == "prompt"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["prompt", "n", "echo", "logprobs", "best_of", "logit_bias"]), values))
def test_any_json_is_parsed_or_refused(more):
    try:
        request = parsed(**more)
    except InvalidRequestError:
        return
    assert 1 <= len(request.answers) <= MAX_CHOICES
    assert all(bool(answer.prompt) != bool(answer.prompt_tokens) for answer in request.answers)
