"""``gentorrent chat --save``: a chat from the terminal that the engine keeps, beside those of the window."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import schema
from engine.commands.terminal import harmless
from engine.errors import RequestError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient


def converse(data: Path | None, settings: schema.ChatSettings, question: str | None) -> None:
    """One ``question``, or (None) questions until the end of the input. :class:`RequestError` when the one question is
    not answered."""
    from engine.commands.control_client import with_engine  # loads aiohttp

    async def work(client: ControlClient) -> None:
        chat = SavedChat(client, secrets.token_hex(10))
        await chat.begin(settings)
        if question is not None:
            problem = await chat.ask(question)
            if problem:
                raise RequestError(problem)
            return
        _note(f"Kept as {chat.name[:6]}. Ctrl-C stops an answer, Ctrl-D ends the chat.")
        while (asked := await asyncio.to_thread(_read)) is not None:
            problem = await chat.ask(asked) if asked.strip() else ""
            if problem:
                _note(f"gentorrent: {harmless(problem)}")

    with_engine(data, work)


class SavedChat:
    """A chat of the engine's, of which answers are written to standard output as they come."""

    def __init__(self, client: ControlClient, name: str) -> None:
        self.name = name
        self._client = client

    async def begin(self, settings: schema.ChatSettings) -> None:
        """Make it."""
        await self._client.ask(schema.CreateChat(chat=self.name, settings=settings), schema.Accepted)
        await self._client.ask(schema.OpenChat(chat=self.name, limit=1), schema.ChatOpened)

    async def ask(self, question: str) -> str:
        """Ask, and write the answer; why there is none or not all of it, empty: there is."""
        request = schema.SendMessage(chat=self.name, text=question, keep_draft=True)
        with self._stopping():
            async for event in self._client.events(request):
                match event:
                    case schema.RequestFailed(ref="ask") | schema.ContextOverflow(ref="ask"):
                        return event.text
                    case schema.AnswerDelta(chat=self.name):
                        _write(event.text)
                    case schema.MessageChanged(chat=self.name, added=False, message=message):
                        _write("\n")
                        return message.problem.text if message.problem is not None else ""
        raise AssertionError("events() goes on")

    @contextlib.contextmanager
    def _stopping(self) -> Iterator[None]:
        """Ctrl-C stops the answer, not the chat."""
        loop = asyncio.get_running_loop()
        stop = schema.StopAnswer(chat=self.name)
        able = sys.platform != "win32"
        if able:
            loop.add_signal_handler(signal.SIGINT, lambda: loop.create_task(self._client.send(stop, "stop")))
        try:
            yield
        finally:
            if able:
                loop.remove_signal_handler(signal.SIGINT)


def _read() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _write(text: str) -> None:
    sys.stdout.write(harmless(text))
    sys.stdout.flush()


def _note(text: str) -> None:
    print(text, file=sys.stderr)
