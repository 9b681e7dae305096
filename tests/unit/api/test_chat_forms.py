"""The official client reads reasoning, tool calls, log probabilities, several answers, whole and streamed."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator

import openai
import pydantic
import pytest

from engine.api.service import AnswerDelta
from engine.inference.text.answer_parts import Content, Reasoning, ToolArguments, ToolCall
from engine.inference.types import TokenLogprob
from tests.support.local_api import API_TOKEN, RunningApi, until

QUESTION = [{"role": "user", "content": "Hi"}]
MODEL = "gentorrent-builtin"
ASKED = {"model": MODEL, "messages": QUESTION}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALLS = [
    AnswerDelta((1,), "<think>", ()),
    AnswerDelta((2,), "Need it", (Reasoning("Need it"),)),
    AnswerDelta((3,), "</think>Look", (Reasoning("."), Content("Look"))),
    AnswerDelta((4, 5), "…", (ToolCall(0, "weather"), ToolArguments(0, '{"city": '))),
    AnswerDelta((6,), "…", (ToolArguments(0, '"Ulm"}'), ToolCall(1, "weather"))),
    AnswerDelta((), "", (ToolArguments(1, '{"city": "Bonn"}'),)),
]


def logprob(token: int, text: bytes, value: float = -0.5) -> TokenLogprob:
    return TokenLogprob(token, text, value, ((token, text, value), (9, b"\xe2\x82", -math.inf)))


@pytest.fixture
async def client(api: RunningApi) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key=API_TOKEN, max_retries=0, timeout=10) as client:
        yield client


async def test_tool_calls_of_a_whole_answer(client, api):
    api.service.script = CALLS
    reply = await client.chat.completions.create(**ASKED, tools=[WEATHER])
    (choice,) = reply.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Look"
    assert choice.message.model_extra["reasoning_content"] == "Need it."
    one, other = choice.message.tool_calls
    assert (one.type, one.function.name, json.loads(one.function.arguments)) == ("function", "weather", {"city": "Ulm"})
    assert json.loads(other.function.arguments) == {"city": "Bonn"}
    assert one.id != other.id
    assert one.id.isalnum()
    assert len(one.id) == 9
    again = [*QUESTION, choice.message, {"role": "tool", "tool_call_id": one.id, "content": "rain"}]
    await client.chat.completions.create(**{**ASKED, "messages": again}, tools=[WEATHER])
    *_, called, result = api.service.requests[-1].messages
    assert json.loads(called.tool_calls)[0]["function"]["name"] == "weather"
    assert (called.content, called.reasoning) == ("Look", "Need it.")
    assert (result.role, result.content, result.tool_call_id, result.name) == ("tool", "rain", one.id, "weather")


async def test_an_answer_of_calls_alone_has_no_content(client, api):
    api.service.script = [AnswerDelta((1,), "…", (ToolCall(0, "weather"), ToolArguments(0, "{}")))]
    reply = await client.chat.completions.create(**ASKED, tools=[WEATHER])
    assert reply.choices[0].message.content is None
    api.service.finish_reason = "length"
    reply = await client.chat.completions.create(**ASKED, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "length"


async def test_tool_calls_of_a_stream(client, api):
    api.service.script = CALLS
    stream = await client.chat.completions.create(**ASKED, tools=[WEATHER], stream=True)
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    assert all(delta.role is None for delta in deltas[1:])
    assert "".join(delta.model_extra.get("reasoning_content", "") for delta in deltas) == "Need it."
    assert "".join(delta.content or "" for delta in deltas) == "Look"
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    begun = [call for call in calls if call.id]
    assert [(call.index, call.type, call.function.name, call.function.arguments) for call in begun] == [
        (0, "function", "weather", ""),
        (1, "function", "weather", ""),
    ]
    assert all(call.function.name is None for call in calls if not call.id)
    arguments = ["".join(call.function.arguments for call in calls if call.index == index) for index in (0, 1)]
    assert [json.loads(text) for text in arguments] == [{"city": "Ulm"}, {"city": "Bonn"}]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["tool_calls"]


async def test_the_clients_stream_helper_follows_calls(client, api):
    api.service.script = CALLS
    async with client.chat.completions.stream(**ASKED, tools=[WEATHER]) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_completion()
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(event.name, event.parsed_arguments) for event in done] == [
        ("weather", {"city": "Ulm"}),
        ("weather", {"city": "Bonn"}),
    ]
    assert [call.function.parsed_arguments for call in final.choices[0].message.tool_calls] == [
        {"city": "Ulm"},
        {"city": "Bonn"},
    ]


class Place(pydantic.BaseModel):
    city: str
    people: int


async def test_the_clients_parse_helper_gets_its_schema(client, api):
    api.service.words = ['{"city": "Ulm", ', '"people": 126000}']
    reply = await client.chat.completions.parse(**ASKED, response_format=Place)
    assert reply.choices[0].message.parsed == Place(city="Ulm", people=126000)
    constraint = api.service.requests[0].constraint
    assert constraint.kind == "json_schema"
    assert json.loads(constraint.text)["required"] == ["city", "people"]
    async with client.chat.completions.stream(**ASKED, response_format=Place) as stream:
        async for _ in stream:
            pass
        assert (await stream.get_final_completion()).choices[0].message.parsed.city == "Ulm"


SPOKEN = [
    AnswerDelta((1,), "", (), (logprob(1, b"\xc3"),)),  # half a character
    AnswerDelta((2,), "é", (Content("é"),), (logprob(2, b"\xa9"),)),
    AnswerDelta((3,), "!", (Content("!"),), (logprob(3, b"!", -0.25),)),
    AnswerDelta((4,), "", (), (logprob(4, b"<|end|>"),)),
]


async def test_log_probabilities_of_a_whole_answer(client, api):
    api.service.script = SPOKEN
    reply = await client.chat.completions.create(**ASKED, logprobs=True, top_logprobs=2)
    told = reply.choices[0].logprobs.content
    assert [bytes(one.bytes) for one in told] == [b"\xc3", b"\xa9", b"!", b"<|end|>"]
    assert (told[2].token, told[2].logprob) == ("!", -0.25)
    assert [top.logprob for top in told[2].top_logprobs] == [-0.25, -9999.0]
    assert api.service.requests[0].top_logprobs == 2
    assert len(told) == reply.usage.completion_tokens
    api.service.script = None
    assert (await client.chat.completions.create(**ASKED)).choices[0].logprobs is None


async def test_log_probabilities_of_a_stream(client, api):
    api.service.script = SPOKEN
    stream = await client.chat.completions.create(**ASKED, logprobs=True, top_logprobs=2, stream=True)
    told = [
        (chunk.choices[0].delta.content, [bytes(one.bytes) for one in chunk.choices[0].logprobs.content])
        async for chunk in stream
        if chunk.choices[0].logprobs
    ]
    assert told == [("é", [b"\xc3", b"\xa9"]), ("!", [b"!"]), (None, [b"<|end|>"])]
    async with client.chat.completions.stream(**ASKED, logprobs=True, top_logprobs=2) as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_completion()
    assert len(final.choices[0].logprobs.content) == 4


async def test_several_answers(client, api):
    reply = await client.chat.completions.create(**ASKED, n=3, seed=10)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert all(choice.message.content == "Hello world" for choice in reply.choices)
    assert [request.sampling.seed for request in api.service.requests] == [10, 11, 12]
    assert reply.usage.prompt_tokens == 7
    assert reply.usage.completion_tokens == 9
    assert reply.usage.total_tokens == 16
    assert [choice.model_extra["gentorrent"]["seed"] for choice in reply.choices] == [10, 11, 12]


async def test_several_answers_share_one_stream(client, api):
    api.service.pause = 0.005
    stream = await client.chat.completions.create(
        **ASKED, n=3, stream=True, stream_options={"include_usage": True}, seed=1
    )
    texts, roles, reasons = ["", "", ""], [0, 0, 0], [0, 0, 0]
    chunks = [chunk async for chunk in stream]
    for chunk in chunks[:-1]:
        (choice,) = chunk.choices
        texts[choice.index] += choice.delta.content or ""
        roles[choice.index] += choice.delta.role == "assistant"
        reasons[choice.index] += choice.finish_reason == "stop"
        assert "usage" in chunk.model_fields_set
    assert texts == ["Hello world"] * 3
    assert roles == reasons == [1, 1, 1]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 9


async def test_one_failing_answer_ends_the_request(client, api):
    api.service.crash = RuntimeError("secret")
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(**ASKED, n=3)
    assert "secret" not in str(caught.value)
    assert api.service.running == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_stops_all_its_answers(client, api, stream):
    api.service.endless = True
    api.service.pause = 0.02
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(client.chat.completions.create(**ASKED, n=3, stream=stream))
        await until(lambda: api.service.running == 3)
        if stream:
            await (await asking).close()
        else:
            asking.cancel()
        await until(lambda: api.service.running == 0)
    assert api.service.cancelled == 3


async def test_more_answers_than_may_run_are_refused_together(client, api, monkeypatch):
    monkeypatch.setattr("engine.api.openai.MAX_ANSWERS", 2)
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(**ASKED, n=3)
    assert api.service.requests == []
    await client.chat.completions.create(**ASKED, n=2)


async def test_cached_tokens_are_counted(client):
    usage = (await client.chat.completions.create(**ASKED)).usage
    assert usage.prompt_tokens_details.cached_tokens == 0


async def test_bad_requests_name_their_parameter(client):
    for more, parameter in (
        ({"n": 0}, "n"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "response_format.json_schema"),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(**ASKED, **more)
        assert caught.value.param == parameter
        assert caught.value.type == "invalid_request_error"
