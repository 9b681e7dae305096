"""Kept chats of a real engine process: over the control WebSocket, through kill -9, from the command line."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import pytest

from engine.api import schema
from engine.cli import main
from tests.support.running_engine import Engine, running

Wanted = TypeVar("Wanted")
MODEL = "gentorrent-builtin"


class Client:
    """A control connection that remembers what it was told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.events: list[schema.Event] = []

    async def find(self, kind: type[Wanted], **fields: Any) -> Wanted:
        """The next event of a kind."""
        async with asyncio.timeout(120):
            while True:
                event = schema.event_decoder.decode(await self._socket.receive_str())
                self.events.append(event)
                if isinstance(event, schema.RequestFailed | schema.ContextOverflow):
                    raise AssertionError(event)
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
                    return event

    async def do(self, request: schema.ChatsRequest, kind: type[Wanted]) -> Wanted:
        await self._socket.send_str(schema.encode(request))
        return await self.find(kind)


@asynccontextmanager
async def connected(engine: Engine) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {engine.address.control_token}"}
    url = f"{engine.url}{schema.CONTROL_PATH}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        await socket.send_str(schema.encode(schema.Hello(version=schema.CONTROL_VERSION, client="test")))
        yield Client(socket)


async def test_a_chat_outlives_its_client_and_its_engine(tmp_path):
    settings = schema.ChatSettings(model=MODEL, sampling=schema.SamplingChoice(temperature=0))
    with running(tmp_path) as engine:
        async with connected(engine) as client:
            await client.do(schema.CreateChat(chat="c", settings=settings), schema.Accepted)
            await client.do(schema.OpenChat(chat="c"), schema.ChatOpened)
            accepted = await client.do(schema.SendMessage(chat="c", text="What is GenTorrent?"), schema.Accepted)
        async with connected(engine) as client:
            opened = await client.do(schema.OpenChat(chat="c"), schema.ChatOpened)
            answer = opened.messages[-1]
            if answer.state == "writing":
                answer = (await client.find(schema.MessageChanged, added=False)).message
            assert (answer.message, answer.state, answer.details.badge) == (accepted.answer, "done", "local")
            context = await client.find(schema.ContextState)
            assert (context.exact, context.limit > context.used > answer.details.completion_tokens) == (True, True)
            # a longer answer, in the middle of which the engine is killed
            wild = schema.SamplingChoice(temperature=10, seed=1)
            update = schema.UpdateChat(chat="c", settings=schema.ChatSettings(model=MODEL, sampling=wild))
            await client.do(update, schema.Accepted)
            accepted = await client.do(schema.SendMessage(chat="c", text="And a guard?"), schema.Accepted)
            arrived = ""
            while len(arrived) < 300:
                delta = await client.find(schema.AnswerDelta)
                arrived += delta.text
                await asyncio.sleep(0.02)
            engine.process.send_signal(signal.SIGKILL)
            engine.process.wait()
    with running(tmp_path) as engine:
        async with connected(engine) as client:
            opened = await client.do(schema.OpenChat(chat="c"), schema.ChatOpened)
            assert [one.state for one in opened.messages] == ["done", "done", "done", "interrupted"]
            assert opened.messages[2].text == "And a guard?"
            kept = opened.messages[-1]
            assert kept.message == accepted.answer
            assert kept.problem.code == "interrupted"
            assert kept.text
            assert arrived.startswith(kept.text) or kept.text.startswith(arrived)
            again = await client.do(schema.Regenerate(chat="c", message=kept.message), schema.Accepted)
            await client.find(schema.AnswerDelta)
            await client.do(schema.StopAnswer(chat="c"), schema.MessageChanged)
            opened = await client.do(schema.OpenChat(chat="c"), schema.ChatOpened)
            assert (opened.messages[-1].message, opened.messages[-1].state) == (again.answer, "stopped")


def test_the_command_line_lists_searches_shows_exports_and_deletes(tmp_path, capsys):
    with running(tmp_path) as engine:
        asyncio.run(ask_two(engine))

        def command(*words: str, ok: bool = True) -> str:
            with pytest.raises(SystemExit) as ended:
                main(["chats", *words, "--data", str(tmp_path)])
            told = capsys.readouterr()
            assert (ended.value.code == 0) == ok, told.err
            return told.out if ok else told.err

        listed = json.loads(command("list", "--json"))
        assert [chat["chat"] for chat in listed] == ["guards", "relays"]
        assert "What is a guard?" in command("list")
        (hit,) = json.loads(command("search", "gua", "--limit", "1", "--json"))
        assert hit["chat"]["chat"] == "guards"
        shown = json.loads(command("show", "gua", "--json"))
        assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
        assert shown["messages"][1]["text"] in command("export", "guards")
        file = tmp_path / "chat.json"
        command("export", "guards", "--format", "json", "--output", str(file))
        assert json.loads(file.read_text())["messages"][1]["text"] == shown["messages"][1]["text"]
        command("presets", "save", "Poet", "--system", "Rhyme.", "--temperature", "0.5", "--max-tokens", "9")
        assert "Rhyme." in command("presets", "list")
        command("presets", "rename", "poet", "Bard")
        assert "Poet" in command("presets", "delete", "Poet", ok=False)
        chosen = json.loads(
            command("set", "gua", "--preset", "bard", "--overflow", "keep-ends", "--local-only", "--json")
        )
        assert (chosen["system"], chosen["sampling"]["temperature"], chosen["max_tokens"]) == ("Rhyme.", 0.5, 9)
        assert (chosen["overflow"], chosen["local_only"]) == ("keep_ends", True)
        assert "drop-oldest" in command("set", "gua", "--overflow", "burn", ok=False)
        command("presets", "delete", "Bard")
        assert json.loads(command("presets", "list", "--json")) == []
        assert "chats list" in command("show", "nobody", ok=False)
        command("folders", "add", "Work")
        assert "already" in command("folders", "add", "Work", ok=False)
        command("move", "gua", "--to", "work")
        assert [chat["chat"] for chat in json.loads(command("list", "--folder", "Work", "--json"))] == ["guards"]
        command("folders", "rename", "Work", "Home")
        assert command("folders", "list") == "Home  1\n"
        assert "Home" in command("move", "gua", "--to", "Work", ok=False)
        assert "--out" in command("move", "gua", ok=False)
        command("move", "gua", "--out")
        command("move", "gua", "--to", "Home")
        command("folders", "delete", "Home")
        assert json.loads(command("folders", "list", "--json")) == []
        assert len(json.loads(command("list", "--json"))) == 2
        assert "--yes" in command("delete", "guards", ok=False)
        command("delete", "guards", "--yes")
        assert [chat["chat"] for chat in json.loads(command("list", "--json"))] == ["relays"]
        command("delete", "--everything", "--yes")
        assert json.loads(command("list", "--json")) == []
        assert "--everything" in command("delete", "guards", "--keys", ok=False)
        before = (tmp_path / "keys").read_bytes()
        command("delete", "--everything", "--keys", "--yes")
        assert engine.process.wait(timeout=120) == 0
        file.unlink()  # what was exported stays where the owner put it
        left = {file.name: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
        assert "keys" not in left
        for name, data in left.items():
            assert before not in data, name
            for words in (b"What is a guard?", b"What is a relay?"):
                assert words not in data, name
    with running(tmp_path):
        assert (tmp_path / "keys").read_bytes() != before


def test_a_chat_from_the_terminal_is_kept(tmp_path, capsys, monkeypatch):
    def command(*words: str, ok: bool = True) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--data", str(tmp_path)])
        told = capsys.readouterr()
        assert (ended.value.code == 0) == ok, told.err
        return told.out, told.err

    with running(tmp_path):
        one, _ = command("chat", "--save", "-q", "What is a relay?", "--max-tokens", "20", "--system", "Be brief.")
        monkeypatch.setattr("sys.stdin", io.StringIO("What is a guard?\n\nAnd a proxy?\n"))
        two, said = command("chat", "--save", "--max-tokens", "10", "--route", "local")
        assert "Kept as" in said
        listed = json.loads(command("chats", "list", "--json")[0])
        assert [chat["title"] for chat in listed] == ["What is a guard?", "What is a relay?"]
        guards, relays = (
            json.loads(command("chats", "show", chat["chat"], "--json")[0])["messages"] for chat in listed
        )
        assert [message["role"] for message in guards] == ["user", "assistant"] * 2
        assert two == "".join(f"{message['text']}\n" for message in guards if message["role"] == "assistant")
        assert one == f"{relays[1]['text']}\n"
        assert "--save goes" in command("chat", "--save", "-q", "x", "--json", ok=False)[1]


async def ask_two(engine: Engine) -> None:
    """Two chats, each with an answer."""
    settings = schema.ChatSettings(model=MODEL, sampling=schema.SamplingChoice(temperature=0), max_tokens=30)
    async with connected(engine) as client:
        for chat, question in (("relays", "What is a relay?"), ("guards", "What is a guard?")):
            await client.do(schema.CreateChat(chat=chat, settings=settings), schema.Accepted)
            await client.do(schema.OpenChat(chat=chat), schema.ChatOpened)
            await client.do(schema.SendMessage(chat=chat, text=question), schema.Accepted)
            await client.find(schema.MessageChanged, added=False)
