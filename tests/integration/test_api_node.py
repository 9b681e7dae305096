"""The local API of a real engine process with the built-in model, without a network."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from engine.api import schema
from engine.storage.data_directory import DataDirectory, read_lock

MODEL = "gentorrent-builtin"
QUESTION = [{"role": "user", "content": "What is GenTorrent?"}]
COMMAND = [sys.executable, "-c", "from engine.cli import main; main()"]
ROOT = Path(__file__).resolve().parents[2]


class Engine:
    """A running engine and its address."""

    def __init__(self, directory: DataDirectory, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.process = process

    @property
    def address(self) -> schema.EngineAddress:
        return schema.address_decoder.decode(self.directory.lock.read_bytes())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address.port}"

    @property
    def token(self) -> str:
        return self.directory.api_token.read_text().strip()

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.token, max_retries=0, timeout=30)


@contextlib.contextmanager
def running(data: Path) -> Iterator[Engine]:
    directory = DataDirectory(data)
    command = [*COMMAND, "node", "--data", str(data), "--api-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 30
            while (lock := read_lock(directory.lock)) is None or lock.port == 0:
                assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
                assert time.monotonic() < deadline, "the engine does not start"
                time.sleep(0.05)
            yield Engine(directory, process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    with running(tmp_path_factory.mktemp("engine") / "data") as engine:
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
        with pytest.raises(openai.InternalServerError) as no_network:
            client.chat.completions.create(
                model=MODEL, messages=QUESTION, extra_body={"gentorrent": {"route": "network"}}
            )
        assert no_network.value.code == "network_not_ready"
        assert client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=2)


def test_a_second_engine_on_the_directory_is_refused(engine):
    command = [*COMMAND, "node", "--data", str(engine.directory.path), "--api-port", "0"]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert "already uses the data directory" in second.stderr
    assert "Traceback" not in second.stderr
    assert engine.process.poll() is None
    assert engine.client().models.list().data


def test_a_second_engine_on_the_port_is_refused(engine, tmp_path):
    command = [*COMMAND, "node", "--data", str(tmp_path), "--api-port", str(engine.address.port)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert second.returncode == 2
    assert "--api-port" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_command_line_asks_it(engine):
    command = [*COMMAND, "chat", "--data", str(engine.directory.path), "-q", "What is GenTorrent?", "--json"]
    done = subprocess.run([*command, "--max-tokens", "8"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["answer"]
    assert answer["usage"]["completion_tokens"] <= 8


def _control(session: aiohttp.ClientSession, engine: Engine) -> Any:
    headers = {"Authorization": f"Bearer {engine.address.control_token}"}
    return session.ws_connect(f"{engine.url}{schema.CONTROL_PATH}", headers=headers)


async def test_control_asks_stops_and_shuts_down(tmp_path):
    with running(tmp_path / "data") as engine:
        async with asyncio.timeout(40), aiohttp.ClientSession() as session, _control(session, engine) as socket:

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
        assert await asyncio.to_thread(engine.process.wait, 10) == 0
        assert read_lock(engine.directory.lock) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_it_cleanly(tmp_path):
    with running(tmp_path / "data") as engine:
        engine.process.send_signal(signal.SIGINT)
        assert engine.process.wait(10) == 0
        assert engine.process.stderr is not None
        assert b"Traceback" not in engine.process.stderr.read()
