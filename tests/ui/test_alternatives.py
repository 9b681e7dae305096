"""What is offered where a question was not answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.models.alternatives import alternatives
from app.models.catalogue import ModelChoice
from engine.api.schema import ModelState
from engine.errors import OverloadedError
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until

MODELS = (
    ModelState(id="gentorrent-builtin", where="both", nodes=3, context_length=2048),
    ModelState(id="Qwen3-8B-Instruct", where="network", nodes=12, context_length=32_768, wait=1.4),
    ModelState(id="Qwen3-0.6B", where="network", nodes=2, context_length=32_768, wait=1.4),
    ModelState(id="Llama-3.3-70B-Instruct", where="network", nodes=4, context_length=131_072, wait=6.2),
)
LLAMA = ModelChoice("Llama-3.3-70B-Instruct", "network", "")
HERE = ModelChoice("gentorrent-builtin", "local", "")


@pytest.mark.parametrize(
    ("code", "asked", "offered"),
    [
        ("overloaded", LLAMA, ["wait 30", "gentorrent-builtin local", "Qwen3-8B-Instruct network"]),
        ("serving_node_lost", LLAMA, ["gentorrent-builtin local", "Qwen3-8B-Instruct network"]),
        ("worker_restarting", HERE, ["wait 10", "gentorrent-builtin network"]),
        ("context_length_exceeded", HERE, ["Qwen3-8B-Instruct network", "Qwen3-0.6B network"]),
        ("context_length_exceeded", LLAMA, []),
        ("too_few_relays", LLAMA, ["wait 60", "gentorrent-builtin local"]),
        ("invalid_request", LLAMA, []),
        (
            "unreviewed_model",
            LLAMA,
            ["Llama-3.3-70B-Instruct network", "gentorrent-builtin local", "Qwen3-8B-Instruct network"],
        ),
    ],
)
def test_what_is_offered(code: str, asked: ModelChoice, offered: list[str]) -> None:
    found = [
        f"{one.choice.model} {one.choice.route}" if one.choice else f"wait {one.seconds}"
        for one in alternatives(code, asked, MODELS)
    ]
    assert found == offered


def test_chat_that_stays_here_is_not_offered_the_network() -> None:
    found = alternatives("worker_restarting", HERE, MODELS, local_only=True)
    assert [one.seconds for one in found] == [10]
    assert alternatives("serving_node_lost", LLAMA, ()) == []


def test_failed_answer_is_asked_on_this_machine_or_later(drive: Drive, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(alternatives.__globals__["_SECONDS"], "overloaded", 1)

    async def scenario() -> None:
        engine = PlayedEngine(pieces=[], failure=OverloadedError("All machines are busy."))
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.header.models.setCurrentIndex(2)
            window.window.ask("Hello?")
            await until(lambda: window.turn.state == "failed")
            box = window.view.problems
            assert box.text.whole_text == "All machines are busy."
            offered = [button.text() for button in box.choices]
            assert offered == ["Wait 1 s, then ask again", "Ask gentorrent-builtin on this machine"]
            box.choices[0].click()
            assert window.turn.state == "waiting"
            assert window.turn.stage == "Asked again after 1 s"
            await until(lambda: len(engine.requests) == 2 and window.turn.state == "failed")
            engine.failure, engine.pieces = None, ["Hi."]
            window.view.problems.choices[1].click()
            await until(lambda: window.turn.state == "done")
            assert engine.requests[-1].route == "local"
            assert window.window.choice.key == ("gentorrent-builtin", "local")
            assert len(window.turn.siblings) == 3

    drive(scenario())


def test_long_waits_offer_what_can_be_asked_instead(drive: Drive, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("app.views.stage_row.OFFER_SECONDS_AFTER", 0.5)

    async def scenario() -> None:
        engine = PlayedEngine(pieces=[], hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.header.models.setCurrentIndex(2)
            window.window.ask("Hello?")
            await until(lambda: window.turn.stage.startswith("Waiting behind others"))
            assert window.view.waiting.choices == []
            await until(lambda: window.view.waiting.choices)
            (button,) = window.view.waiting.choices
            assert button.text() == "Ask gentorrent-builtin on this machine"
            assert window.view.height() >= button.geometry().bottom()
            engine.pieces = ["Hi."]
            button.click()
            await until(lambda: [request.route for request in engine.requests] == ["network", "local"])
            assert engine.cancelled == 1
            engine.hold.set()
            await until(lambda: window.turn.state == "done")
            assert len(window.turn.siblings) == 2
            assert window.window.choice.key == ("gentorrent-builtin", "local")
            assert window.view.waiting.choices == []

    drive(scenario())


def test_waiting_can_be_stopped(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(pieces=[], failure=OverloadedError("All machines are busy."))
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.ask("Hello?")
            await until(lambda: window.turn.state == "failed")
            window.view.problems.choices[0].click()
            await until(lambda: window.window.composer.stop.isVisible())
            window.window.composer.stop.click()
            assert window.turn.state == "stopped"
            assert len(engine.requests) == 1

    drive(scenario())
