"""The remote back end against llama-cpp-python's server with the tiny random model that `make bench-setup` makes."""

import asyncio
import contextlib
import json
import subprocess
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.errors import ContextLengthError, InvalidRequestError, RemoteServerError
from engine.inference.remote.backend import STYLE, RemoteBackend
from engine.inference.remote.settings import RemoteSettings
from engine.inference.types import Constraint, Delta, Done, GenerationRequest, PromptMessage, Started
from engine.wire.answer import Sampling
from tests.support.network import free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
MODEL = ROOT / ".work" / "bench" / "tiny" / "q4_0.gguf"
KEY = "a-key-for-the-tests"
CONTEXT = 512
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The server's base address; it is ready when its port answers."""
    assert PYTHON.exists(), "run `make bench-setup` first"
    assert MODEL.exists(), "run `make bench-setup` first"
    port = free_port()
    command = [str(PYTHON), "-m", "llama_cpp.server", "--model", str(MODEL), "--model_alias", "tiny", "--n_ctx"]
    command += [str(CONTEXT), "--host", "127.0.0.1", "--port", str(port), "--api_key", KEY, "--verbose", "false"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            yield f"http://127.0.0.1:{port}/v1"
            assert process.poll() is None, log.read_text()
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def running(address, **changes):
    fields = {"server_model": "tiny", "model_id": "tiny", "server": "llama.cpp", "api_key": KEY, "check_seconds": 0.2}
    settings = RemoteSettings(base_url=address, **{**fields, **changes})
    backend = RemoteBackend(settings, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(backend.run())
        try:
            yield backend
        finally:
            task.cancel()


async def well(backend):
    async with asyncio.timeout(60):
        while backend.problem:
            await asyncio.sleep(0.1)


def request_of(**changes):
    fields = {
        "model_id": "tiny",
        "messages": (PromptMessage("user", "Hello"),),
        "sampling": Sampling(seed=5, temperature=0.0),
        "max_tokens": 24,
    }
    return GenerationRequest(**{**fields, **changes})


async def events_of(backend, request):
    return [one async for one in backend.generate(request)]


def text_of(events):
    return "".join(one.text for one in events if isinstance(one, Delta))


async def test_health_and_description(address):
    async with running(address) as backend:
        assert backend.models() == []
        await well(backend)
        (info,) = backend.models()
        assert info.model_id == "tiny"
        assert not info.token_ids


async def test_an_answer_streams_in_pieces_with_its_end(address):
    async with running(address) as backend:
        await well(backend)
        events = await events_of(backend, request_of())
    assert events[0] == Started((), style=STYLE)
    assert len([one for one in events if isinstance(one, Delta)]) > 5
    assert events[-1].reason == "length"
    assert 0 < events[-1].completion_tokens <= 24


async def test_the_same_seed_gives_the_same_text_and_another_another(address):
    async with running(address) as backend:
        await well(backend)
        first, again, other = [
            text_of(await events_of(backend, request_of(sampling=Sampling(seed=seed)))) for seed in (3, 3, 4)
        ]
    assert first == again != other


async def test_plain_text_is_continued(address):
    async with running(address) as backend:
        await well(backend)
        events = await events_of(backend, request_of(prompt="Once upon", messages=(), max_tokens=8))
    assert text_of(events)
    assert isinstance(events[-1], Done)


async def test_a_stop_string_is_not_shown(address):
    async with running(address) as backend:
        await well(backend)
        whole = text_of(await events_of(backend, request_of()))
        stop = whole[len(whole) // 2 :][:3]
        events = await events_of(backend, request_of(stop=(stop,)))
    assert text_of(events) == whole[: whole.index(stop)]
    assert events[-1].reason == "stop"


async def test_a_cancelled_answer_ends_there_and_the_next_one_works(address):
    async with running(address, slots=1) as backend:
        await well(backend)
        stream = backend.generate(request_of(max_tokens=450))
        async for one in stream:
            if isinstance(one, Delta):
                break
        await stream.aclose()
        async with asyncio.timeout(30):
            assert text_of(await events_of(backend, request_of(max_tokens=4)))


async def test_json_is_what_was_asked_for(address):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    async with running(address) as backend:
        await well(backend)
        constraint = Constraint("json_schema", json.dumps(schema))
        events = await events_of(backend, request_of(constraint=constraint, max_tokens=200))
    if events[-1].reason == "stop":  # random weights may fill the limit with white space
        assert isinstance(json.loads(text_of(events))["ok"], bool)
    else:
        assert text_of(events).lstrip()[:1] in ("", "{")


async def test_too_long_a_question_is_told_and_the_next_one_works(address):
    """This server begins a stream and breaks it off; others answer with status 400."""
    async with running(address) as backend:
        await well(backend)
        with pytest.raises((ContextLengthError, InvalidRequestError, RemoteServerError)):
            await events_of(backend, request_of(messages=(PromptMessage("user", "x" * 5000),)))
        await well(backend)
        assert text_of(await events_of(backend, request_of(max_tokens=4)))


async def test_a_wrong_key_is_told(address):
    async with running(address) as backend:
        await well(backend)  # the server is up
    async with running(address, api_key="wrong") as backend, asyncio.timeout(30):
        while "API key" not in backend.problem:
            await asyncio.sleep(0.1)
        with pytest.raises(RemoteServerError, match="API key"):
            await events_of(backend, request_of())


async def test_another_model_s_name_is_told(address):
    async with running(address, server_model="other") as backend, asyncio.timeout(60):
        while "It serves: tiny" not in backend.problem:
            await asyncio.sleep(0.1)
