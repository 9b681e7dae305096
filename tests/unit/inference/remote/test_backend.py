"""The remote back end against a server on loopback that behaves, misbehaves, stalls and dies."""

import asyncio
import contextlib
import logging

import pytest
from aiohttp import web

from engine.clock import SystemClock
from engine.errors import (
    ContextLengthError,
    InvalidRequestError,
    OverloadedError,
    RemoteServerError,
    RequestError,
    UnknownModelError,
)
from engine.inference.remote.backend import STYLE, RemoteBackend
from engine.inference.remote.settings import RemoteSettings, piece_id
from engine.inference.types import Delta, Done, GenerationRequest, PromptMessage, Queued, Started
from engine.wire.answer import Sampling
from tests.support.openai_server import LAST, OpenAiServer, event, said


def settings_for(url, **changes):
    defaults = {"check_seconds": 0.05, "check_timeout": 2.0, "first_timeout": 5.0, "stall_timeout": 5.0}
    return RemoteSettings(base_url=url, server_model="upstream", model_id="model", **{**defaults, **changes})


def request_of(**changes):
    fields = {"model_id": "model", "messages": (PromptMessage("user", "Hi"),), "sampling": Sampling(seed=5)}
    return GenerationRequest(**{**fields, **changes})


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(server, /, **changes):
    """A back end that has found the server well."""
    async with server.serve() as url:
        backend = RemoteBackend(settings_for(url, **changes), SystemClock())
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(backend.run())
            await until(lambda: not backend.problem)
            try:
                yield backend
            finally:
                task.cancel()


async def events_of(backend, request=None):
    return [one async for one in backend.generate(request or request_of())]


def text_of(events):
    return "".join(one.text for one in events if isinstance(one, Delta))


async def test_an_answer_is_streamed_counted_and_identified_by_its_pieces():
    server = OpenAiServer()
    async with running(server) as backend:
        events = await events_of(backend, request_of(max_tokens=20))
    assert events[0] == Started((), style=STYLE)
    assert [one for one in events if isinstance(one, Delta)] == [
        Delta((piece_id("Hel"),), "Hel"),
        Delta((piece_id("lo there"),), "lo there"),
        Delta((piece_id("."),), "."),
    ]
    assert events[-1] == Done("stop", 9, 3, 4)
    (body,) = server.bodies
    assert body["model"] == "upstream"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert body["max_tokens"] == 20
    assert body["stream"] is True


async def test_the_model_is_described_with_what_it_cannot_do():
    async with running(OpenAiServer(), server="vllm") as backend:
        (info,) = backend.models()
    assert (info.model_id, info.context_length) == ("model", 2048)
    assert (info.seeds, info.token_ids, info.tools) == (False, False, False)
    assert info.logprobs
    assert info.constraints
    assert len(info.digest) == len(info.tokenizer_digest) == 32


async def test_plain_text_is_continued_by_completions():
    server = OpenAiServer()

    async def script(write):
        await write(event({"choices": [{"text": "two", "finish_reason": None}]}))
        await write(event({"choices": [{"text": "", "finish_reason": "length"}]}))
        await write(LAST)

    server.script = script
    async with running(server) as backend:
        events = await events_of(backend, request_of(prompt="one", messages=()))
    assert text_of(events) == "two"
    assert events[-1] == Done("length", 0, 1)
    assert server.paths == ["/v1/completions"]
    assert server.bodies[0]["prompt"] == "one"
    assert server.bodies[0]["max_tokens"] > 1000


async def test_a_stop_string_across_pieces_is_not_shown_and_ends_the_connection():
    server = OpenAiServer()

    async def script(write):
        await write(said("one <EN"))
        await write(said("D> two"))
        while True:
            await write(said("more"))
            await asyncio.sleep(0.01)

    server.script = script
    async with running(server) as backend:
        events = await events_of(backend, request_of(stop=("<END>",)))
        async with asyncio.timeout(5):
            await server.cut_off.wait()
    assert text_of(events) == "one "
    assert events[-1].reason == "stop"
    assert events[-1].completion_tokens == 1


async def test_cancelling_closes_the_connection_and_frees_the_place():
    server = OpenAiServer()

    async def script(write):
        while True:
            await write(said("x"))
            await asyncio.sleep(0.01)

    server.script = script
    async with running(server, slots=1, queue_limit=0) as backend:
        stream = backend.generate(request_of())
        async for one in stream:
            if isinstance(one, Delta):
                break
        await stream.aclose()
        async with asyncio.timeout(5):
            await server.cut_off.wait()
        server.script = OpenAiServer().script
        assert text_of(await events_of(backend)) == "Hello there."


async def test_whoever_asks_how_busy_it_is_hears_when_that_changes():
    told = []
    async with OpenAiServer().serve() as url:
        backend = RemoteBackend(settings_for(url), SystemClock(), on_load=lambda: told.append(busy()))

        def busy():
            return [info.running for info in backend.models()]

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(backend.run())
            await until(lambda: not backend.problem)
            await events_of(backend)
            task.cancel()
    assert told == [[1], [0]]


async def test_stopping_ends_running_answers_at_once_and_later_ones_work():
    server = OpenAiServer()

    async def script(write):
        await write(said("x"))
        await asyncio.sleep(30)

    server.script = script
    async with running(server) as backend:
        stream = backend.generate(request_of())
        async for one in stream:
            if isinstance(one, Delta):
                break
        backend.stop()
        with pytest.raises(RemoteServerError):
            await anext(stream)
        async with asyncio.timeout(5):
            await server.cut_off.wait()
        server.script = OpenAiServer().script
        assert text_of(await events_of(backend)) == "Hello there."


async def test_only_so_many_answers_are_asked_for_at_once_and_the_rest_wait_or_are_refused():
    server = OpenAiServer()
    gate = asyncio.Event()

    async def script(write):
        await gate.wait()
        for part in (said("x", "stop"), LAST):
            await write(part)

    server.script = script
    async with running(server, slots=2, queue_limit=1) as backend, asyncio.TaskGroup() as tasks:
        answers = [tasks.create_task(events_of(backend)) for _ in range(2)]
        await until(lambda: server.running == 2)
        waiting = tasks.create_task(events_of(backend))
        await until(lambda: [(info.running, info.waiting) for info in backend.models()] == [(2, 1)])
        with pytest.raises(OverloadedError):
            await events_of(backend)
        gate.set()
        assert [text_of(await answer) for answer in answers] == ["x", "x"]
        events = await waiting
        assert isinstance(events[0], Queued)
        assert events[0].place == 1
        assert events[1] == Queued(0, 0.0)
        assert [(info.running, info.waiting) for info in backend.models()] == [(0, 0)]
    assert server.most_running == 2


async def test_the_owner_is_served_before_strangers():
    server = OpenAiServer()
    gate = asyncio.Event()
    order = []

    async def script(write):
        await gate.wait()
        for part in (said("x", "stop"), LAST):
            await write(part)

    async def ask(backend, name, owner):
        await events_of(backend, request_of(owner=owner))
        order.append(name)

    server.script = script
    async with running(server, slots=1) as backend, asyncio.TaskGroup() as tasks:
        tasks.create_task(ask(backend, "first", False))
        await until(lambda: server.running == 1)
        for number, (name, owner) in enumerate((("stranger", False), ("owner", True))):
            tasks.create_task(ask(backend, name, owner))
            await until(lambda wanted=number + 1: backend._places.waiting == wanted)
        gate.set()
    assert order == ["first", "owner", "stranger"]


async def test_reasoning_that_is_sent_apart_is_shown_as_models_write_it():
    server = OpenAiServer()

    async def script(write):
        await write(event({"choices": [{"delta": {"reasoning_content": "Well"}}]}))
        await write(event({"choices": [{"delta": {"reasoning_content": "."}}]}))
        await write(said("Yes", "stop"))
        await write(LAST)

    server.script = script
    async with running(server) as backend:
        assert text_of(await events_of(backend)) == "<think>\nWell.\n</think>\n\nYes"


async def test_log_probabilities_come_with_the_tokens():
    server = OpenAiServer()
    entry = {"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": [{"token": "e", "logprob": -1.5}]}

    async def script(write):
        await write(said("é", "stop", logprobs={"content": [entry]}))
        await write(LAST)

    server.script = script
    async with running(server, server="vllm") as backend:
        events = await events_of(backend, request_of(top_logprobs=1))
    (delta,) = [one for one in events if isinstance(one, Delta)]
    (found,) = delta.logprobs
    assert delta.ids == (found.token,) == (piece_id("é"),)
    assert (found.text, found.logprob) == ("é".encode(), -0.5)
    assert found.top == ((piece_id("e"), b"e", -1.5),)


async def test_ids_never_exceed_the_tokens_asked_for_although_pieces_may():
    server = OpenAiServer()

    async def script(write):
        for letter in "abcdefgh":
            await write(said(letter))
        await write(said("", "length"))
        await write(LAST)

    server.script = script
    async with running(server) as backend:
        events = await events_of(backend, request_of(max_tokens=3))
    assert text_of(events) == "abcdefgh"
    assert sum(len(one.ids) for one in events if isinstance(one, Delta)) == 3


async def test_a_server_that_ignores_the_limit_is_cut_off():
    server = OpenAiServer()

    async def script(write):
        while True:
            await write(said("x"))

    server.script = script
    async with running(server) as backend:
        events = await events_of(backend, request_of(max_tokens=10))
        async with asyncio.timeout(5):
            await server.cut_off.wait()
    assert events[-1].reason == "length"
    assert len(text_of(events)) == 44


async def test_the_end_needs_neither_its_mark_nor_numbers():
    server = OpenAiServer()

    async def script(write):
        await write(said("x", "stop"))

    server.script = script
    async with running(server) as backend:
        events = await events_of(backend)
    assert text_of(events) == "x"
    assert events[-1] == Done("stop", 0, 1)


async def test_silence_after_the_end_is_not_waited_for():
    server = OpenAiServer()

    async def script(write):
        await write(said("x", "stop"))
        await asyncio.sleep(30)

    server.script = script
    async with running(server, usage_timeout=0.05) as backend:
        assert (await events_of(backend))[-1] == Done("stop", 0, 1)


async def test_garbage_after_the_end_spoils_nothing():
    server = OpenAiServer()

    async def script(write):
        await write(said("x", "stop"))
        await write(b"data: {garbage\n\n")

    server.script = script
    async with running(server) as backend:
        assert text_of(await events_of(backend)) == "x"


HOSTILE = {
    "not JSON": b"data: {oops\n\n",
    "not an object": b"data: [1]\n\n",
    "no choices": b"data: {}\n\n",
    "choices of another kind": b'data: {"choices": 3}\n\n',
    "a choice of another kind": b'data: {"choices": ["x"]}\n\n',
    "a delta of another kind": b'data: {"choices": [{"delta": [1]}]}\n\n',
    "text of another kind": b'data: {"choices": [{"delta": {"content": {"a": 1}}}]}\n\n',
    "deep nesting": b"data: " + b"[" * 100_000 + b"\n\n",
    "an unknown end": b'data: {"choices": [{"delta": {}, "finish_reason": "because"}]}\n\n',
    "an end of another kind": b'data: {"choices": [{"delta": {}, "finish_reason": [1]}]}\n\n',
    "an error in the stream": b'data: {"error": {"message": "CUDA out of memory"}}\n\n',
    "tool calls": b'data: {"choices": [{"delta": {"tool_calls": [{}]}}]}\n\n',
    "nothing": b"",
    "a comment": b": keep-alive\n\n",
    "an endless line": b"data: " + b"x" * (1 << 20) + b"x",
    "an event of endless lines": b"data: x\n" * 200_000,
    "bytes": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_broken_server_gives_a_clear_error_and_the_next_answer_works(name):
    server = OpenAiServer()

    async def script(write):
        await write(said("begun"))
        await write(HOSTILE[name])

    server.script = script
    async with running(server) as backend:
        with pytest.raises(RemoteServerError) as caught:
            await events_of(backend)
        assert "erver" in str(caught.value)
        server.script = OpenAiServer().script
        assert text_of(await events_of(backend)) == "Hello there."


async def test_a_withheld_answer_is_told():
    server = OpenAiServer()

    async def script(write):
        await write(said("x", "content_filter"))

    server.script = script
    async with running(server) as backend:
        with pytest.raises(RequestError, match="content filter"):
            await events_of(backend)


async def test_a_stall_in_the_middle_ends():
    server = OpenAiServer()

    async def script(write):
        await write(said("x"))
        await asyncio.sleep(30)

    server.script = script
    async with running(server, stall_timeout=0.1) as backend:
        with pytest.raises(RemoteServerError, match="sent nothing"):
            await events_of(backend)


async def test_a_server_that_never_begins_is_given_up():
    server = OpenAiServer()

    async def reply(_):
        await asyncio.sleep(30)

    server.reply = reply
    async with running(server, first_timeout=0.1) as backend:
        with pytest.raises(RemoteServerError, match="does not answer in time"):
            await events_of(backend)


async def test_a_connection_cut_in_the_middle_is_told():
    server = OpenAiServer()

    async def reply(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(said("x"))
        request.transport.abort()
        return response

    server.reply = reply
    async with running(server) as backend:
        with pytest.raises(RemoteServerError):
            await events_of(backend)


async def test_a_kept_connection_that_the_server_has_closed_is_replaced():
    server = OpenAiServer()
    asked = []

    async def reply(request):
        asked.append(1)
        if len(asked) == 1:
            request.transport.abort()
            return web.Response()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(said("x", "stop"))
        return response

    server.reply = reply
    async with running(server) as backend:
        assert text_of(await events_of(backend)) == "x"
    assert len(asked) == 2


REFUSALS = [
    (400, {}, '{"error": {"message": "temperature is wrong"}}', InvalidRequestError, "temperature is wrong"),
    (400, {}, "no JSON", InvalidRequestError, "refuses this request"),
    (400, {}, '{"message": "maximum context length is 10 tokens"}', ContextLengthError, "maximum context"),
    (429, {"Retry-After": "17"}, "", OverloadedError, "17 s"),
    (429, {"Retry-After": "soon"}, "", OverloadedError, "later"),
    (503, {}, "", OverloadedError, "later"),
    (500, {}, '{"error": "boom"}', RemoteServerError, "status 500"),
    (401, {}, "", RemoteServerError, "GENTORRENT_BACKEND_API_KEY"),
    (404, {}, "", RemoteServerError, "404"),
    (302, {"Location": "http://127.0.0.1:1/steal"}, "", RemoteServerError, "somewhere else"),
]


@pytest.mark.parametrize(("status", "headers", "body", "kind", "words"), REFUSALS)
async def test_every_refusal_becomes_the_error_it_means(status, headers, body, kind, words):
    server = OpenAiServer()

    async def reply(_):
        return web.Response(status=status, headers=headers, text=body)

    server.reply = reply
    async with running(server) as backend:
        with pytest.raises(kind, match=words):
            await events_of(backend)


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "application/json"}, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}]
)
async def test_an_answer_that_is_no_stream_is_refused(headers):
    server = OpenAiServer()

    async def reply(_):
        return web.Response(headers=headers, body=b"{}")

    server.reply = reply
    async with running(server) as backend:
        with pytest.raises(RemoteServerError, match="does not stream"):
            await events_of(backend)


async def test_an_endless_error_page_is_not_read_to_its_end():
    server = OpenAiServer()

    async def reply(request):
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    server.reply = reply
    async with running(server) as backend:
        with pytest.raises(RemoteServerError, match="status 500"):
            await events_of(backend)


async def test_the_server_s_words_carry_no_key_and_no_control_characters():
    server = OpenAiServer()

    async def reply(_):
        return web.json_response({"error": {"message": "bad key s3cret\x1b[2J\n" + "x" * 1000}}, status=400)

    server.reply = reply
    async with running(server, api_key="s3cret") as backend:
        with pytest.raises(InvalidRequestError) as caught:
            await events_of(backend)
    text = str(caught.value)
    assert "s3cret" not in text
    assert text.isprintable()
    assert len(text) < 500


async def test_the_key_goes_to_the_server_and_nowhere_else(caplog):
    caplog.set_level(logging.DEBUG)
    server = OpenAiServer()
    async with running(server, api_key="s3cret") as backend:
        await events_of(backend)
        assert "s3cret" not in repr(backend._settings)
    assert server.authorizations[0] == "Bearer s3cret"
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"models": {"data": [{"id": "other"}]}}, "It serves: other"),
        ({"models": {"data": []}}, "It serves: none"),
        ({"models": "[]"}, "does not list its models"),
        ({"models": "not JSON"}, "does not list its models"),
        ({"models_status": 401}, "GENTORRENT_BACKEND_API_KEY"),
        ({"models_status": 500}, "status 500"),
        ({"models_status": 307}, "somewhere else"),
        ({"models_status": 404, "health_status": 503}, "404"),
    ],
)
async def test_a_server_that_is_not_well_is_not_offered_and_says_why(changes, words):
    server = OpenAiServer(**changes)
    async with server.serve() as url:
        told = []
        backend = RemoteBackend(settings_for(url), SystemClock(), lambda: told.append(1))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(backend.run())
            await until(lambda: told)
            assert backend.models() == []
            assert words in backend.problem
            with pytest.raises(RemoteServerError, match=r"erver"):
                await events_of(backend)
            task.cancel()


async def test_a_server_without_a_list_is_judged_by_its_health():
    async with running(OpenAiServer(models_status=404)) as backend:
        assert [info.model_id for info in backend.models()] == ["model"]


async def test_health_comes_and_goes():
    server = OpenAiServer()
    changes = []
    async with server.serve() as url:
        backend = RemoteBackend(settings_for(url), SystemClock(), lambda: changes.append(not backend.problem))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(backend.run())
            await until(lambda: backend.models())
            server.models_status = 500
            await until(lambda: not backend.models())
            server.models_status = 200
            await until(lambda: backend.models())
            task.cancel()
    assert changes == [True, False, True, False]
    assert backend.problem == "The engine is stopping."


async def test_a_server_that_is_answering_is_not_asked_how_it_is():
    """llama-cpp-python's server breaks an answer off when another request arrives."""
    server, going_on = OpenAiServer(), asyncio.Event()

    async def script(write):
        await write(said("x"))
        await going_on.wait()
        await write(said("y", "stop") + LAST)

    server.script = script
    async with running(server, check_seconds=0.01) as backend:
        stream = backend.generate(request_of())
        async for one in stream:
            if isinstance(one, Delta):
                break
        before = len(server.authorizations)
        await asyncio.sleep(0.2)
        assert len(server.authorizations) == before
        going_on.set()
        assert text_of([one async for one in stream]) == "y"
        await until(lambda: len(server.authorizations) > before)


async def test_a_server_that_is_gone_is_named():
    async with OpenAiServer().serve() as url:
        pass
    backend = RemoteBackend(settings_for(url), SystemClock())
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(backend.run())
        await until(lambda: "cannot be reached" in backend.problem)
        task.cancel()


async def test_another_model_is_unknown():
    async with running(OpenAiServer()) as backend:
        with pytest.raises(UnknownModelError):
            await events_of(backend, request_of(model_id="other"))


async def test_the_owner_s_speed_limit_holds():
    clock = SystemClock()
    async with running(OpenAiServer()) as backend:
        begin = clock.monotonic()
        await events_of(backend, request_of(max_tokens_per_second=20.0))
        assert clock.monotonic() - begin >= 3 / 20


async def test_answers_cannot_be_scored_by_another_program():
    backend = RemoteBackend(settings_for("http://127.0.0.1:9"), SystemClock())
    with pytest.raises(InvalidRequestError, match="another program"):
        await backend.score(request_of(), (1, 2))
