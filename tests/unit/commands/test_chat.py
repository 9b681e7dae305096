"""``gentorrent chat`` and ``models list`` against a running local API."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.api.schema import PrivacyChoice
from engine.cli import main
from engine.commands.terminal import harmless
from engine.errors import ContextLengthError, ServingNodeLostError, WeakerPaths, WeakerPathsNeededError
from engine.inference.types import PromptMessage
from engine.storage.data_directory import DataDirectory, acquire_lock
from tests.support.local_api import API_TOKEN, PlayedService, RunningApi, serve, until


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async for running in serve(PlayedService()):
        yield running


@pytest.fixture
def data(tmp_path: Path, api: RunningApi) -> Iterator[Path]:
    """The data directory of an engine whose API is ``api``."""
    directory = DataDirectory(tmp_path / "data")
    directory.create()
    directory.api_token.write_text(API_TOKEN + "\n")
    with acquire_lock(directory.lock) as lock:
        lock.set_port(api.port)
        yield directory.path


async def run(*arguments: object) -> int:
    """The exit code of ``gentorrent ARGUMENTS``, run beside the server's loop."""

    def in_thread() -> int:
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return await asyncio.to_thread(in_thread)


async def test_one_question(api, data, capsys):
    assert await run("chat", "--data", data, "-q", "Hi", "--system", "Be brief", "--seed", 4, "--route", "network") == 0
    said = capsys.readouterr()
    assert said.out == "Hello world\n"
    assert "answered by node abcdefgh · over 2 paths" in said.err
    assert "receipt checked" in said.err
    (asked,) = api.service.requests
    assert asked.model_id == "gentorrent-builtin"
    assert asked.messages == (PromptMessage("system", "Be brief"), PromptMessage("user", "Hi"))
    assert (asked.sampling.seed, asked.route) == (4, "network")
    assert asked.sampling.temperature == 0  # the built-in model states facts


async def test_a_chosen_temperature_stands(api, data):
    assert await run("chat", "--data", data, "-q", "Hi", "--temperature", 0.5) == 0
    (asked,) = api.service.requests
    assert asked.sampling.temperature == 0.5


async def test_as_json(data, capsys):
    assert await run("chat", "--data", data, "-q", "Hi", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "Hello world"
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["paths"] == [["g1", "m1", "p1"], ["g2", "m2", "p2"]]
    assert answer["receipt_verified"] is True


async def test_question_from_standard_input(api, data, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe"))
    assert await run("chat", "--data", data, "-q", "-") == 0
    assert api.service.requests[0].messages[0].content == "from a pipe"


async def test_by_address_and_token(api, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_DATA", str(tmp_path))
    assert await run("chat", "--api", f"{api.url}/v1", "--token", API_TOKEN, "-q", "Hi") == 0
    assert capsys.readouterr().out == "Hello world\n"
    assert await run("chat", "--api", api.url, "--token", "wrong", "-q", "Hi") == 1
    assert "token" in capsys.readouterr().err
    monkeypatch.setenv("GENTORRENT_API_TOKEN", API_TOKEN)
    assert await run("chat", "--api", api.url, "-q", "Hi") == 0


async def test_a_receipt_is_saved(data, tmp_path):
    file = tmp_path / "receipt.json"
    assert await run("chat", "--data", data, "-q", "Hi", "--save-receipt", file) == 0
    assert json.loads(file.read_text()) == {"format": "gentorrent-receipt"}
    assert await run("chat", "--data", data, "-q", "Hi", "--save-receipt", tmp_path / "absent" / "x") == 1


async def test_a_conversation_remembers(api, data, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\ntwo\n"))
    assert await run("chat", "--data", data) == 0
    assert capsys.readouterr().out.split("\n")[:2] == ["Hello world", "Hello world"]
    assert [message.content for message in api.service.requests[1].messages] == ["one", "Hello world", "two"]


async def test_a_failed_answer_leaves_the_chat_as_it_was(api, data, monkeypatch, capsys):
    answers = iter([ServingNodeLostError("The node went away. Ask again."), None])
    original = api.service.answer

    def answer(request):
        api.service.failure = next(answers)
        return original(request)

    monkeypatch.setattr(api.service, "answer", answer)
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\n"))
    assert await run("chat", "--data", data) == 0
    assert "The node went away" in capsys.readouterr().err
    assert [message.content for message in api.service.requests[1].messages] == ["two"]


@pytest.mark.parametrize("words", [[], ["Hel"]], ids=["before", "after"])
async def test_a_failure_is_told_and_is_1(api, data, words, capsys):
    api.service.words = words
    api.service.failure = ContextLengthError("This is too long for the model. Shorten it.")
    assert await run("chat", "--data", data, "-q", "Hi") == 1
    said = capsys.readouterr()
    assert "gentorrent: This is too long for the model. Shorten it.\n" in said.err
    assert said.out == "".join(words)


async def test_the_connection_breaks(api, data, capsys, monkeypatch):
    api.service.endless = True
    api.service.pause = 0.01
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(run("chat", "--data", data, "-q", "Hi"))
        await until(lambda: api.service.running == 1)
        # The server's own end of every open connection, as when the engine is killed.
        for transport in list(_transports(api)):
            transport.abort()
    assert asking.result() == 1
    assert "gentorrent: The engine" in capsys.readouterr().err


def _transports(api: RunningApi):
    import gc

    from aiohttp.web_protocol import RequestHandler

    for handler in gc.get_objects():
        if isinstance(handler, RequestHandler) and handler.transport is not None:
            yield handler.transport


async def test_without_an_engine_it_says_how_to_start_one(tmp_path, capsys):
    assert await run("chat", "--data", tmp_path, "-q", "Hi") == 1
    said = capsys.readouterr().err
    assert "No engine is running" in said
    assert "gentorrent node" in said


async def test_an_engine_that_is_still_starting(tmp_path, capsys):
    directory = DataDirectory(tmp_path / "data")
    with acquire_lock(directory.lock):
        assert await run("chat", "--data", directory.path, "-q", "Hi") == 1
    assert "still starting" in capsys.readouterr().err


async def test_control_characters_of_an_answer_do_nothing(api, data, capsys):
    api.service.words = ["a\x1b]0;title\x07b", "\x9b31m", "\u202ec", "ä\n\tb"]
    assert await run("chat", "--data", data, "-q", "Hi") == 0
    assert capsys.readouterr().out == "a]0;titleb31mcä\n\tb\n"


def test_harmless_keeps_what_people_write():
    text = "Grüße, 你好, שלום, 👩\u200d💻\n\tend"
    assert harmless(text) == text


async def test_models(data, capsys):
    assert await run("models", "list", "--data", data, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [model["id"] for model in listed] == ["gentorrent-builtin", "someone/Model-7B"]
    told = {"id": "gentorrent-builtin", "where": "both", "nodes": 2, "context_length": 4096}
    told |= {"provider": "CPUExecutionProvider", "provider_reason": "the processor of this computer"}
    assert told.items() <= listed[0].items()
    assert await run("models", "list", "--data", data) == 0
    assert "this machine and network, 2 nodes" in (shown := capsys.readouterr().out)
    assert "on the processor of this computer" in shown


async def test_models_without_an_engine(tmp_path, capsys):
    assert await run("models", "list", "--data", tmp_path, "--json") == 0
    assert all(model["where"] == "local" for model in json.loads(capsys.readouterr().out))


async def test_a_question_that_is_no_text_is_asked_as_far_as_it_is(api, data, monkeypatch):
    assert await run("chat", "-q", "caf\udce9?", "--data", data) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9?"), encoding="utf-8"))
    assert await run("chat", "-q", "-", "--data", data) == 0
    asked = [request.messages[-1].content for request in api.service.requests]
    assert asked == ["caf\ufffd?"] * 2


@pytest.mark.parametrize("reply", [b"[]", b"{}", b"3", b'{"data": 3}', b"<html>"])
async def test_another_server_at_the_address_is_no_traceback(reply, capsys, tmp_path):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(reply), reply))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await run("chat", "-q", "Hi", "--api", address, "--token", "x", "--data", tmp_path) == 1
    assert "does not answer as it should" in capsys.readouterr().err


OFFERED = (WeakerPaths(3, 3, "use 3 paths of 3 relays"), WeakerPaths(1, 0, "go direct"))


async def test_too_few_relays_name_the_options_that_would_be_answered(api, data, capsys):
    api.service.failure = WeakerPathsNeededError("3 relays are missing.", missing=3, choices=OFFERED)
    assert await run("chat", "--data", data, "-q", "Hi") == 1
    told = capsys.readouterr().err
    assert "3 relays are missing. Choose with --paths 3 --hops 3, or --direct." in told


async def test_what_is_accepted_is_asked_for(api, data, capsys):
    assert await run("chat", "--data", data, "-q", "Hi", "--paths", 2, "--hops", 1, "--direct") == 0
    assert await run("chat", "--data", data, "-q", "Hi") == 0
    assert [asked.privacy for asked in api.service.requests] == [
        PrivacyChoice(least_paths=2, least_hops=1, direct=True),
        None,
    ]
    capsys.readouterr()


async def test_a_choice_at_the_terminal_holds_for_the_chat(api, data, capsys, monkeypatch):
    api.service.failure = WeakerPathsNeededError("3 relays are missing.", missing=3, choices=OFFERED)
    typed = iter(["Hello", "2", "Again"])

    def answer(_prompt: str = "") -> str:
        try:
            text = next(typed)
        except StopIteration:
            raise EOFError from None
        if text == "2":
            api.service.failure = None
        return text

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert await run("chat", "--data", data) == 0
    assert [asked.privacy for asked in api.service.requests] == [
        None,
        PrivacyChoice(direct=True),
        PrivacyChoice(direct=True),
    ]
    said = capsys.readouterr()
    assert "2: go direct" in said.err
    assert "Hello world" in said.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
