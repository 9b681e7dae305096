"""Bad moments for a question: nobody has a model, or the clock is set while it is asked."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator
from pathlib import Path

from engine.api.schema import ModelState
from engine.api.service import AnswerEvent, AnswerRequest
from engine.clock import SystemClock
from engine.errors import UnknownModelError
from engine.sentences import say
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until
from tests.ui.test_chat_list import ask, rows

DAY = 86_400.0


class Bare(PlayedEngine):
    """An engine that has no model, and knows of none, until ``has``."""

    has = False

    def models(self) -> list[ModelState]:
        return super().models() if self.has else []

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        if not self.has:
            raise UnknownModelError(say("machine.none", model=request.model_id))
        async for event in super().answer(request):
            yield event


class SetClock(SystemClock):
    """Set by its owner, while the time between two moments goes on as it does."""

    ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self.ahead


def _listed(window: Window, question: str) -> bool:
    return question in rows(window)


def test_without_any_model_a_question_is_kept_and_asked_once_there_is_one(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = Bare()
        async with played_engine(tmp_path, engine):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.state)
                assert window.status.models == []
                ask(window, "Is anybody there?")
                await until(lambda: window.turn.state == "failed")
                assert window.turn.problem.startswith("Nobody on the network serves gentorrent-builtin at the moment.")
                assert "Choose another model" in window.turn.problem
            async with open_window(tmp_path, NoProcess()) as window:  # another start of the window
                await until(lambda: window.chat.turns)
                assert window.turn.question == "Is anybody there?"
                engine.has = True
                engine.feed.notify()
                await until(lambda: window.status.models)
                window.chat.retry()
                await until(lambda: window.turn.state == "done")
                assert window.answer == "Relays carry sealed data."

    drive(scenario())


def test_a_clock_that_is_set_loses_no_chat_and_no_order(drive: Drive, tmp_path: Path) -> None:
    clock = SetClock()

    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine(), clock):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                window.chats._wall = clock.wall
                for question, days in (("First?", 0.0), ("Second?", -30.0), ("Third?", 400.0), ("Fourth?", -400.0)):
                    clock.ahead = days * DAY
                    if window.chat.turns:
                        window.window.chat_page.new_chat()
                    ask(window, question)
                    await until(lambda: window.turn.state == "done")
                    await until(functools.partial(_listed, window, question))
                assert [row for row in rows(window) if row.endswith("?")] == ["Fourth?", "Third?", "Second?", "First?"]
            clock.ahead = 0.0
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: len([row for row in rows(window) if row.endswith("?")]) == 4)
                assert [row for row in rows(window) if row.endswith("?")] == ["Fourth?", "Third?", "Second?", "First?"]
                await until(lambda: window.chat.turns and window.turn.state == "done")
                assert window.turn.question == "Fourth?"
                assert window.answer == "Relays carry sealed data."

    drive(scenario())
