"""What no model could answer is refused in words, and nothing else is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidRequestError
from engine.inference.request_limits import MAX_STOP_CHARACTERS, MAX_STOPS, check_limits
from engine.inference.types import GenerationRequest, PromptMessage
from engine.wire.answer import Sampling


def request(**options):
    sampling = options.pop("sampling", Sampling(seed=1))
    messages = options.pop("messages", (PromptMessage("user", "hello"),))
    return GenerationRequest(model_id="m", messages=messages, sampling=sampling, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_tokens": -5}, "max_tokens is -5"),
        ({"min_tokens": -1}, "min_tokens is -1"),
        ({"top_logprobs": 21}, "top_logprobs is 21"),
        ({"top_logprobs": -1}, "top_logprobs is -1"),
        ({"public_messages": -1}, "public_messages is -1"),
        ({"public_characters": -1}, "public_characters is -1"),
        ({"max_tokens_per_second": 0.0}, "not a positive number"),
        ({"max_tokens_per_second": math.nan}, "not a positive number"),
        ({"stop": ("x",) * (MAX_STOPS + 1)}, "stop strings; at most"),
        ({"stop": ("x" * (MAX_STOP_CHARACTERS + 1),)}, "A stop string has"),
        ({"tools": "{"}, "tools cannot be read"),
        ({"tools": "{}"}, "tools must be an array"),
        ({"tools": "[" * 100_000}, "tools"),
        ({"template_options": "[]"}, "must be an object"),
        ({"messages": (PromptMessage("assistant", "", tool_calls="nonsense"),)}, "cannot be read as JSON"),
        ({"messages": (PromptMessage("user", "\ud800"),)}, "half of a character"),
        ({"sampling": Sampling(seed=-1)}, "seed cannot be"),
        ({"sampling": Sampling(seed=1, temperature=-1)}, "temperature cannot be"),
        ({"sampling": Sampling(seed=1, top_p=0)}, "top_p cannot be"),
        ({"sampling": Sampling(seed=1, logit_bias=((1, 1e9),))}, "logit_bias cannot be"),
        ({"max_tokens": 2**70}, "64 bits"),
        ({"max_tokens": 1.5}, "max_tokens cannot be"),
        ({"continue_tokens": ("a",)}, "continue_tokens cannot be"),
        ({"continue_tokens": (2**70,)}, "in no vocabulary"),
        ({"continue_tokens": (-1,)}, "-1, which is in no vocabulary"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(InvalidRequestError, match=said):
        check_limits(request(**options))


@given(
    st.builds(
        request,
        max_tokens=st.none() | st.integers(1, 1 << 40),
        min_tokens=st.integers(0, 1 << 40),
        top_logprobs=st.none() | st.integers(0, 20),
        stop=st.lists(st.text(max_size=30), max_size=MAX_STOPS).map(tuple),
        tools=st.sampled_from(["", '[{"type": "function", "function": {"name": "look_up"}}]']),
        template_options=st.sampled_from(["", "{}"]),
        continue_tokens=st.lists(st.integers(0, (1 << 31) - 1), max_size=5).map(tuple),
    )
)
def test_what_is_let_through(asked):
    check_limits(asked)
