"""The local API of a real engine process with the built-in model, without a network."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any, Literal

import aiohttp
import openai
import pydantic
import pytest

from engine.api import schema
from engine.storage.data_directory import read_lock
from tests.support.chat_templates import SHAPES
from tests.support.running_engine import COMMAND, ROOT, Engine, running
from tests.support.tiny_model import make_tiny_model

MODEL = "gentorrent-builtin"
CALLER = "caller"
QUESTION = [{"role": "user", "content": "What is GenTorrent?"}]


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    """With a second model whose weights are random and whose chat template takes tools."""
    data = tmp_path_factory.mktemp("engine") / "data"
    folder = make_tiny_model(data / "models" / CALLER, context=2048)
    (folder / "chat_template.jinja").write_text(SHAPES["qwen3"], encoding="utf-8")
    with running(data) as engine:
        deadline = time.monotonic() + 120
        with engine.client() as client:
            while len(client.models.list().data) < 2:  # the API is up before the models are
                assert time.monotonic() < deadline, "the models do not appear"
                time.sleep(0.05)
        yield engine


def test_stream_and_whole_are_the_same_answer(engine):
    with engine.client() as client:
        assert MODEL in [model.id for model in client.models.list().data]
        asked = {"model": MODEL, "messages": QUESTION, "seed": 11, "max_tokens": 24}
        whole = client.chat.completions.create(**asked)
        stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert 0 < whole.usage.completion_tokens <= 24
    assert whole.usage.prompt_tokens > 0
    assert whole.model_extra["gentorrent"]["served_by"] == "local"


def test_length_stop_and_min_tokens(engine):
    with engine.client() as client:
        asked = {"model": MODEL, "messages": QUESTION, "seed": 3, "temperature": 0}
        cut = client.chat.completions.create(**asked, max_tokens=3)
        assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 3)
        text = client.chat.completions.create(**asked, max_tokens=30).choices[0].message.content
        stop = text[5:9]
        stopped = client.chat.completions.create(**asked, max_tokens=30, stop=[stop])
        assert stopped.choices[0].finish_reason == "stop"
        assert stopped.choices[0].message.content == text[: text.index(stop)]
        longer = client.chat.completions.create(**asked, max_tokens=60, extra_body={"min_tokens": 60})
        assert longer.usage.completion_tokens == 60


def test_several_answers_and_their_log_probabilities(engine):
    with engine.client() as client:
        asked = {"model": MODEL, "messages": QUESTION, "seed": 5, "temperature": 9.0, "max_tokens": 6}
        reply = client.chat.completions.create(**asked, n=3, logprobs=True, top_logprobs=3)
        alone = client.chat.completions.create(**{**asked, "seed": 6}, logprobs=True)
    texts = [choice.message.content for choice in reply.choices]
    assert len(set(texts)) > 1
    assert alone.choices[0].message.content == texts[1]
    assert reply.usage.completion_tokens == sum(len(choice.logprobs.content) for choice in reply.choices)
    for choice in reply.choices:
        shown = b"".join(bytes(one.bytes) for one in choice.logprobs.content)
        assert choice.message.content.encode() in shown
        for one in choice.logprobs.content:
            assert one.logprob <= 0
            values = [top.logprob for top in one.top_logprobs]
            assert len(values) == 3
            assert values == sorted(values, reverse=True)


SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["guard", "proxy"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["kind", "count"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_held_to_a_schema(engine, stream):
    wanted = {"type": "json_schema", "json_schema": {"name": "part", "strict": True, "schema": SCHEMA}}
    with engine.client() as client:
        reply = client.chat.completions.create(
            model=MODEL, messages=QUESTION, seed=2, response_format=wanted, stream=stream
        )
        text = (
            "".join(chunk.choices[0].delta.content or "" for chunk in reply)
            if stream
            else reply.choices[0].message.content
        )
    answer = json.loads(text)
    assert answer["kind"] in ("guard", "proxy")
    assert 0 <= answer["count"] <= 9


class Weather(pydantic.BaseModel):
    """The weather at a place."""

    place: Literal["Rome", "Oslo"]
    days: int = pydantic.Field(ge=1, le=9)


WEATHER = openai.pydantic_function_tool(Weather)


def forced(**more: Any) -> dict[str, Any]:
    choice = {"type": "function", "function": {"name": "Weather"}}
    return {"model": CALLER, "messages": QUESTION, "tools": [WEATHER], "tool_choice": choice, "seed": 4, **more}


def test_a_tool_is_called_and_its_result_goes_back(engine):
    with engine.client() as client:
        reply = client.chat.completions.parse(**forced())
        (choice,) = reply.choices
        assert choice.finish_reason == "tool_calls"
        call = choice.message.tool_calls[0]
        assert isinstance(call.function.parsed_arguments, Weather)
        again = [*QUESTION, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
        following = client.chat.completions.create(
            model=CALLER, messages=again, tools=[WEATHER], max_tokens=4, extra_body={"min_tokens": 4}
        )
        assert following.usage.prompt_tokens > reply.usage.prompt_tokens
        assert following.usage.prompt_tokens_details.cached_tokens > 0


def test_a_called_tool_is_streamed(engine):
    with engine.client() as client:
        whole = client.chat.completions.create(**forced(parallel_tool_calls=False))
        with client.chat.completions.stream(**forced(parallel_tool_calls=False)) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion().choices[0]
    assert {"tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= kinds
    (call,) = final.message.tool_calls
    assert isinstance(call.function.parsed_arguments, Weather)
    assert call.function.arguments == whole.choices[0].message.tool_calls[0].function.arguments
    assert final.finish_reason == "tool_calls"


def test_a_model_without_a_place_for_tools_says_so(engine):
    with engine.client() as client:
        for stream in (False, True):
            with pytest.raises(openai.BadRequestError, match="tools") as caught:
                client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[WEATHER], stream=stream)
            assert caught.value.param == "tools"


def test_an_effort_of_none_tells_the_template_to_leave_thinking_out(engine):
    asked = {"model": CALLER, "messages": QUESTION, "max_tokens": 1}
    with engine.client() as client:
        usual = client.chat.completions.create(**asked).usage.prompt_tokens
        none = client.chat.completions.create(**asked, reasoning_effort="none").usage.prompt_tokens
        told = client.chat.completions.create(
            **asked, extra_body={"chat_template_kwargs": {"enable_thinking": False}}
        ).usage.prompt_tokens
    assert none == told > usual  # it writes an empty thought


def test_biased_tokens_do_not_come(engine):
    """Of three parts of the vocabulary that are banned in turn, one holds the likeliest token."""
    with engine.client() as client:
        asked = {"model": MODEL, "messages": QUESTION, "temperature": 0, "max_tokens": 1, "logprobs": True}
        first = client.chat.completions.create(**asked).choices[0].logprobs.content[0]
        drawn = []
        for start in (0, 1024, 2048):
            bias = {str(token): -100 for token in range(start, start + 1024)}
            reply = client.chat.completions.create(**asked, logit_bias=bias)
            drawn.append(reply.choices[0].logprobs.content[0])
    assert sorted(one.token == first.token for one in drawn) == [False, True, True]


def test_plain_prompts(engine):
    with engine.client() as client:
        whole = client.completions.create(model=MODEL, prompt="A guard is", seed=3, max_tokens=8, logprobs=2)
        (choice,) = whole.choices
        assert len(choice.logprobs.tokens) == whole.usage.completion_tokens <= 8
        assert all(len(top) >= 2 for top in choice.logprobs.top_logprobs)
        stream = client.completions.create(model=MODEL, prompt="A guard is", seed=3, max_tokens=8, stream=True)
        assert "".join(chunk.choices[0].text for chunk in stream) == choice.text
        several = client.completions.create(model=MODEL, prompt=["A guard is", [5, 6, 7]], seed=3, max_tokens=8)
        assert several.choices[0].text == choice.text
        assert several.usage.completion_tokens <= 16


def test_the_owners_next_turn_finds_its_beginning_cached(engine):
    question = "What can a guard learn about the person who asks a question in this network, and what not? " * 3
    messages = [{"role": "user", "content": question}]
    with engine.client() as client:
        first = client.chat.completions.create(model=MODEL, messages=messages, max_tokens=8)
        messages += [first.choices[0].message, {"role": "user", "content": "And a proxy?"}]
        second = client.chat.completions.create(model=MODEL, messages=messages, max_tokens=8)
    assert second.usage.prompt_tokens_details.cached_tokens >= 32


BAD = [
    ({"logit_bias": {"1000000": 5}}, "logit_bias", "invalid_request"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "wizard"}}}},
     "response_format", "invalid_request"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"allOf": "x"}}}},
     "response_format", "invalid_request"),
    ({"stop": ["x"] * 100_000}, "stop", "invalid_request"),
    ({"max_tokens": 0}, "max_tokens", "invalid_request"),
    ({"n": 10_000}, "n", "invalid_request"),
    ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role", "unsupported_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "perhaps"}, "tool_choice",
     "unsupported_parameter"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "parameter", "code"), BAD)
def test_bad_requests_are_named_and_the_worker_lives(engine, more, parameter, code):
    with engine.client() as client:
        for stream in (False, True):
            with pytest.raises(openai.BadRequestError) as caught:
                client.chat.completions.create(**{"model": MODEL, "messages": QUESTION, **more}, stream=stream)
            assert (caught.value.param, caught.value.code) == (parameter, code)
        assert client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=1).choices


def test_bad_prompts_are_named(engine):
    with engine.client() as client:
        for prompt, code in (([10**9], "invalid_request"), ("word " * 30_000, "context_length_exceeded")):
            with pytest.raises(openai.BadRequestError) as caught:
                client.completions.create(model=MODEL, prompt=prompt)
            assert (caught.value.param, caught.value.code) == ("prompt", code)


def test_errors_of_the_real_engine(engine):
    with engine.client() as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(model="absent", messages=QUESTION)
        assert unknown.value.code == "model_not_found"
        for size in (40_000, 900_000):
            long = [{"role": "user", "content": "word " * (size // 5)}]
            for stream in (False, True):
                with pytest.raises(openai.BadRequestError) as caught:
                    client.chat.completions.create(model=MODEL, messages=long, stream=stream)
                assert caught.value.code == "context_length_exceeded"
                assert caught.value.param == "messages"
        with pytest.raises(openai.InternalServerError) as no_network:
            client.chat.completions.create(
                model=MODEL, messages=QUESTION, extra_body={"gentorrent": {"route": "network"}}
            )
        assert no_network.value.code == "network_not_ready"
        assert client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=2)


def test_a_second_engine_on_the_directory_is_refused(engine):
    command = [*COMMAND, "node", "--data", str(engine.directory.path), "--api-port", "0"]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert second.returncode == 1
    assert "already uses the data directory" in second.stderr
    assert "Traceback" not in second.stderr
    assert engine.process.poll() is None
    assert engine.client().models.list().data


def test_a_second_engine_on_the_port_is_refused(engine, tmp_path):
    command = [*COMMAND, "node", "--data", str(tmp_path), "--api-port", str(engine.address.port)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert second.returncode == 2
    assert "--api-port" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_command_line_asks_it(engine):
    command = [*COMMAND, "chat", "--data", str(engine.directory.path), "-q", "What is GenTorrent?", "--json"]
    done = subprocess.run([*command, "--max-tokens", "8"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["answer"]
    assert answer["usage"]["completion_tokens"] <= 8


def _control(session: aiohttp.ClientSession, engine: Engine) -> Any:
    headers = {"Authorization": f"Bearer {engine.address.control_token}"}
    return session.ws_connect(f"{engine.url}{schema.CONTROL_PATH}", headers=headers)


async def test_control_asks_stops_and_shuts_down(tmp_path):
    with running(tmp_path / "data") as engine:
        async with asyncio.timeout(200), aiohttp.ClientSession() as session, _control(session, engine) as socket:

            async def send(request: schema.ControlRequest) -> None:
                await socket.send_str(schema.encode(request))

            async def find(*kinds: type) -> schema.Event:
                while True:
                    event = schema.event_decoder.decode(await socket.receive_str())
                    if isinstance(event, kinds):
                        return event

            await send(schema.Hello(version=schema.CONTROL_VERSION))
            assert isinstance(state := await find(schema.State), schema.State)
            assert state.network.status == "none"
            question = (schema.ChatText("user", "What is GenTorrent?"),)
            await send(schema.Chat(id="short", model=MODEL, messages=question, max_tokens=5))
            done = await find(schema.ChatDone, schema.ChatFailed)
            assert isinstance(done, schema.ChatDone), done
            assert (done.badge, done.completion_tokens) == ("local", 5)
            await send(schema.Chat(id="long", model=MODEL, messages=question, min_tokens=3000))
            await find(schema.ChatDelta)
            await send(schema.StopChat(id="long"))
            stopped = await find(schema.ChatDone, schema.ChatFailed)
            assert isinstance(stopped, schema.ChatFailed)
            assert stopped.code == "cancelled"
            await send(schema.Shutdown())
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            assert socket.close_code == schema.CLOSE_STOPPING
        assert await asyncio.to_thread(engine.process.wait, 120) == 0
        assert read_lock(engine.directory.lock) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_it_cleanly(tmp_path):
    with running(tmp_path / "data") as engine:
        engine.process.send_signal(signal.SIGINT)
        assert engine.process.wait(120) == 0
        assert engine.process.stderr is not None
        assert b"Traceback" not in engine.process.stderr.read()


def test_a_running_engine_notices_what_comes_and_goes(tmp_path):
    source = make_tiny_model(tmp_path / "tiny")
    with running(tmp_path / "data") as engine:
        client = engine.client()

        def models(*arguments: str) -> None:
            command = [*COMMAND, "models", *arguments, "--data", str(engine.directory.path)]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)

        def until_listed(there: bool) -> None:
            deadline = time.monotonic() + 120
            while ("tiny" in {model.id for model in client.models.list()}) != there:
                assert time.monotonic() < deadline
                time.sleep(0.1)

        models("import", str(source))
        until_listed(True)
        answer = client.chat.completions.create(model="tiny", messages=QUESTION, max_tokens=4)
        assert answer.usage is not None
        models("remove", "tiny", "--yes")
        until_listed(False)
