"""The official client against /v1/completions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest

from engine.api.service import AnswerDelta
from engine.errors import ContextLengthError, ServingNodeLostError
from engine.inference.types import TokenLogprob
from tests.support.local_api import API_TOKEN, RunningApi

ASKED = {"model": "gentorrent-builtin", "prompt": "Once"}
SPOKEN = [
    AnswerDelta((1,), " upon", (), (TokenLogprob(1, b" upon", -0.5, ((1, b" upon", -0.5), (2, b" a", -1.5))),)),
    AnswerDelta((3,), " it", (), (TokenLogprob(3, b" it", -2.5, ((1, b" a", -0.5), (2, b" the", -1.5))),)),
]


@pytest.fixture
async def client(api: RunningApi) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key=API_TOKEN, max_retries=0, timeout=10) as client:
        yield client


async def test_whole_answer(client, api):
    reply = await client.completions.create(**ASKED, seed=4)
    (choice,) = reply.choices
    assert (reply.object, choice.text, choice.finish_reason, choice.logprobs) == (
        "text_completion",
        "Hello world",
        "stop",
        None,
    )
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 3)
    assert reply.model_extra["gentorrent"]["seed"] == 4
    asked = api.service.requests[0]
    assert (asked.prompt, asked.messages, asked.max_tokens) == ("Once", (), 16)


async def test_stream(client):
    stream = await client.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == "Hello world"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 3
    assert {chunk.object for chunk in chunks} == {"text_completion"}


@pytest.mark.parametrize("stream", [False, True])
async def test_echo(client, stream):
    reply = await client.completions.create(**ASKED, echo=True, stream=stream)
    chunks = [chunk async for chunk in reply] if stream else [reply]
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == "OnceHello world"


async def test_several_prompts_and_answers(client, api):
    reply = await client.completions.create(model=ASKED["model"], prompt=["a", "b"], n=2, seed=1, echo=True)
    assert [(choice.index, choice.text[0]) for choice in reply.choices] == [(0, "a"), (1, "a"), (2, "b"), (3, "b")]
    assert reply.usage.prompt_tokens == 14
    assert reply.usage.completion_tokens == 12
    assert sorted(request.sampling.seed for request in api.service.requests) == [1, 1, 2, 2]


async def test_token_ids(client, api):
    await client.completions.create(model=ASKED["model"], prompt=[[5, 6]])
    assert api.service.requests[0].prompt_tokens == (5, 6)


async def test_log_probabilities(client, api):
    api.service.script = SPOKEN
    told = (await client.completions.create(**ASKED, logprobs=2)).choices[0].logprobs
    assert told.tokens == [" upon", " it"]
    assert told.token_logprobs == [-0.5, -2.5]
    assert told.text_offset == [0, 5]
    assert told.top_logprobs == [{" upon": -0.5, " a": -1.5}, {" a": -0.5, " the": -1.5, " it": -2.5}]
    stream = await client.completions.create(**ASKED, logprobs=2, stream=True)
    offsets = [chunk.choices[0].logprobs.text_offset async for chunk in stream if chunk.choices[0].logprobs]
    assert offsets == [[0], [5]]


async def test_errors_name_the_prompt(client, api):
    api.service.words = []
    api.service.failure = ContextLengthError("too long")
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.completions.create(**ASKED, stream=stream)
        assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "prompt")
    with pytest.raises(openai.BadRequestError) as caught:
        await client.completions.create(**ASKED, suffix="end")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "suffix")


async def test_error_in_mid_stream_is_told_in_the_stream(client, api):
    api.service.failure = ServingNodeLostError("gone")
    with pytest.raises(openai.APIError, match="gone"):
        async for _ in await client.completions.create(**ASKED, stream=True):
            pass


async def test_parts_of_characters_are_told_apart_and_count_with_the_last_of_them(client, api):
    halves = (TokenLogprob(1, b"\xc3", -1.0, ((9, b"\x99", -2.0),)), TokenLogprob(2, b"\xa9", -1.0, ()))
    api.service.script = [
        AnswerDelta((1, 2), "é", (), halves),
        AnswerDelta((3,), "x", (), (TokenLogprob(3, b"x", 0.0, ()),)),
    ]
    told = (await client.completions.create(**ASKED, logprobs=1)).choices[0].logprobs
    assert told.tokens == [r"bytes:\xc3", r"bytes:\xa9", "x"]
    assert told.top_logprobs[0] == {r"bytes:\xc3": -1.0, r"bytes:\x99": -2.0}
    assert told.text_offset == [0, 0, 1]
