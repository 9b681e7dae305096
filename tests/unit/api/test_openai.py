"""The official client against the API, streaming and not, with every kind of error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from engine.api.service import AnswerDelta
from engine.errors import (
    AnswerCancelledError,
    ContextLengthError,
    GenTorrentError,
    InvalidRequestError,
    NetworkNotReadyError,
    OverloadedError,
    RequestError,
    ServingNodeLostError,
    WorkerDiedError,
)
from engine.inference.text.answer_parts import Content
from tests.support.local_api import API_TOKEN, RunningApi, until

QUESTION = [{"role": "user", "content": "Hi"}]
MODEL = "gentorrent-builtin"


@pytest.fixture
async def client(api: RunningApi) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key=API_TOKEN, max_retries=0, timeout=10) as client:
        yield client


async def test_models_are_listed_and_found(client):
    listed = await client.models.list()
    assert [model.id for model in listed.data] == [MODEL, "someone/Model-7B"]
    one = await client.models.retrieve("someone/Model-7B")
    assert one.id == "someone/Model-7B"
    assert one.owned_by == "gentorrent"
    with pytest.raises(openai.NotFoundError) as caught:
        await client.models.retrieve("absent")
    assert caught.value.code == "model_not_found"


async def test_whole_answer(client, api):
    reply = await client.chat.completions.create(model=MODEL, messages=QUESTION, seed=5, stop="\n", max_tokens=9)
    assert reply.choices[0].message.content == "Hello world"
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"}) == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
    }
    extension = reply.model_extra["gentorrent"]
    assert extension["served_by"] == "abcdefgh"
    assert extension["receipt_verified"] is True
    assert extension["seed"] == 5
    assert extension["paths"] == [["g1", "m1", "p1"], ["g2", "m2", "p2"]]
    assert "receipt" not in extension
    asked = api.service.requests[0]
    assert asked.sampling.seed == 5
    assert asked.stop == ("\n",)
    assert asked.max_tokens == 9


async def test_streamed_answer_with_usage(client):
    stream = await client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Hello world"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 10
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


async def test_stream_without_usage_has_none(client):
    stream = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].model_extra["gentorrent"]["receipt_status"] == "verified"


async def test_the_first_piece_comes_at_once(client, api):
    api.service.endless = True
    api.service.pause = 0.02
    stream = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    async with asyncio.timeout(5):
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
    assert api.service.running == 1  # the answer goes on while its first piece is here
    await stream.close()
    await until(lambda: api.service.running == 0)


@pytest.mark.parametrize("stream", [True, False])
async def test_client_that_leaves_cancels_the_answer(client, api, stream):
    api.service.endless = True
    api.service.pause = 0.02
    with pytest.raises(openai.APITimeoutError):
        reply = await client.with_options(timeout=0.3).chat.completions.create(
            model=MODEL, messages=QUESTION, stream=stream
        )
        async with asyncio.timeout(0.3):
            try:
                async for _ in reply:
                    pass
            finally:
                await reply.close()
                raise openai.APITimeoutError(request=None)
    await until(lambda: api.service.running == 0)
    assert api.service.cancelled == 1


async def test_stages_and_receipt_on_request(client):
    stream = await client.chat.completions.create(
        model=MODEL, messages=QUESTION, stream=True, extra_body={"gentorrent": {"stages": True, "receipt": True}}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].model_extra["gentorrent"]["stage"] == "queued"
    assert chunks[-1].model_extra["gentorrent"]["receipt"] == {"format": "gentorrent-receipt"}


FAILURES = [
    (InvalidRequestError("wrong"), 400, "invalid_request", openai.BadRequestError),
    (ContextLengthError("too long"), 400, "context_length_exceeded", openai.BadRequestError),
    (OverloadedError("full"), 503, "overloaded", openai.InternalServerError),
    (NetworkNotReadyError("joining"), 503, "network_not_ready", openai.InternalServerError),
    (ServingNodeLostError("gone"), 502, "serving_node_lost", openai.InternalServerError),
    (AnswerCancelledError("stopped"), 503, "cancelled", openai.InternalServerError),
    (WorkerDiedError("died"), 503, "worker_restarting", openai.InternalServerError),
    (RequestError("odd"), 500, "internal_error", openai.InternalServerError),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("error", "status", "code", "kind"), FAILURES)
async def test_errors_before_the_first_text_have_their_status(client, api, error, status, code, kind, stream):
    api.service.words = []
    api.service.failure = error
    with pytest.raises(kind) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=stream)
    assert caught.value.status_code == status
    assert caught.value.code == code
    assert str(error) in caught.value.message
    assert ("Retry-After" in caught.value.response.headers) == (status == 503)


@pytest.mark.parametrize(("estimate", "seconds"), [(0.0, "3"), (1.0, "3"), (7.2, "8"), (1e6, "120")])
async def test_a_full_group_says_when_to_ask_again(client, api, estimate, seconds):
    api.service.words = []
    api.service.failure = OverloadedError("full")
    api.service.failure.estimate = estimate
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert caught.value.response.headers["Retry-After"] == seconds


async def test_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as caught:
        await client.chat.completions.create(model="absent", messages=QUESTION)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


async def test_error_in_mid_stream_is_told_in_the_stream(client, api):
    api.service.failure = ServingNodeLostError("The node went away. Ask again.")
    stream = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    text = ""
    with pytest.raises(openai.APIError, match="The node went away") as caught:
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    assert text == "Hello world"
    assert caught.value.code == "serving_node_lost"


@pytest.mark.parametrize("words", [[], ["Hello"]])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_mistake_of_ours_shows_nothing_of_itself(client, api, words, stream, caplog):
    api.service.words = words
    api.service.crash = RuntimeError("secret detail")
    with pytest.raises(openai.APIError) as caught:
        reply = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=stream)
        async for _ in reply:
            pass
    assert "secret detail" not in caught.value.message
    assert caught.value.code == "internal_error"
    assert "unexpectedly" in caplog.text


async def test_an_answer_without_an_end_is_an_error(client, api, monkeypatch):
    async def cut_short(request: object):
        yield AnswerDelta((1,), "half", (Content("half"),))

    monkeypatch.setattr(api.service, "answer", cut_short)
    with pytest.raises(openai.InternalServerError, match="without its last event"):
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    with pytest.raises(openai.APIError, match="without its last event"):
        async for _ in await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True):
            pass


async def test_more_answers_than_allowed_are_refused(client, api, monkeypatch):
    monkeypatch.setattr("engine.api.openai.MAX_ANSWERS", 1)
    api.service.endless = True
    api.service.pause = 0.02
    first = await client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert caught.value.code == "too_many_requests"
    await first.close()
    await until(lambda: api.service.running == 0)
    api.service.endless = False
    await client.chat.completions.create(model=MODEL, messages=QUESTION)


async def test_blocking_client(api):
    def ask() -> str:
        with openai.OpenAI(base_url=f"{api.url}/v1", api_key=API_TOKEN, max_retries=0, timeout=10) as client:
            chunks = client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert await asyncio.to_thread(ask) == "Hello world"


async def test_with_wrong_key(api):
    async with openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.models.list()
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    "failing", [GenTorrentError("anything"), RequestError("plain")], ids=["not a request error", "plain"]
)
async def test_other_errors_are_500(client, api, failing):
    api.service.words = []
    api.service.failure = failing
    with pytest.raises(openai.InternalServerError) as caught:
        await client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert caught.value.status_code == 500
