"""The page *Contribute* while this machine answers somebody: a pause finishes the answer or hands it over, as the owner
has chosen; and what a device may be used for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.views.number_field import NumberField
from tests.support.network import Network, direct_network
from tests.support.tiny_model import make_tiny_model
from tests.ui.asked_by_another import (
    ASKING,
    LONG,
    MINE,
    MODEL,
    RATE,
    ask,
    begun,
    contribute,
    options,
    until_served_by,
)
from tests.ui.conftest import Drive, open_window, until
from tests.ui.test_real_contributing import happened, opened, status

TOKENS = 20 * RATE
"""Of an answer that is finished here: it takes 20 s, longer than what happens meanwhile."""
WIDE = ((4, 256),) * 48
"""Caches of a model that needs more memory than the least that an owner can allow."""
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with direct_network(tmp_path / "net") as made:
        made.node(ASKING, "--no-relay")
        yield made


def is_refused(network: Network) -> bool:
    """Whether who asks now gets no answer."""
    try:
        return ask(network, 1).read().error is not None
    except openai.APIStatusError:  # before the first word
        return True


def test_a_pause_finishes_the_answer_and_takes_no_new_one(drive: Drive, network: Network) -> None:
    make_tiny_model(network.folder / MINE / "models" / MODEL)

    async def scenario() -> None:
        async with open_window(network.folder / MINE, None, *options(network)) as window:
            page = await opened(window)
            page.section("when").head.click()
            QTest.keyClick(page.rules["when"].fields.fields["when_pausing"].control, Qt.Key.Key_Down)
            await until(lambda: window.status.contribution.now.rules.when_pausing == "finish")
            await contribute(window, page)
            answer = await asyncio.to_thread(begun, network, TOKENS)
            shown: dict[str, set[str]] = {}  # all words of each state, however short it was
            window.status.changed.connect(
                lambda: shown.setdefault(status(window), set()).add(page.top.status.reason.whole_text)
            )
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(asyncio.to_thread(answer.read))
                page.top.pause_hour.click()
                await until(lambda: "draining" in shown)
                assert await asyncio.to_thread(is_refused, network)
            await until(lambda: status(window) == "paused" and window.status.state.worker.status == "stopped")
            finishing = "Running answers are being finished; no new ones are taken. You have paused it until "
            assert any(words.startswith(finishing) for words in shown["draining"]), shown
            await until(lambda: page.top.status.reason.whole_text.startswith("You have paused it until "))
            assert page.top.status.text.whole_text == "Paused"
            assert answer.error is None
            assert (answer.tokens, answer.finish_reason) == (TOKENS, "length")
            assert answer.extension["served_by"] == window.status.state.node_id
            assert answer.extension["receipt_verified"] is True
            assert "machines" not in answer.extension, "one alone has made it"
            counted = window.status.state.contributing
            assert (counted.answered, counted.tokens) == (1, TOKENS)
            page.section("log").head.click()
            await until(lambda: "Paused. You have paused it." in happened(page))

    drive(scenario())


def test_a_pause_hands_the_answer_over_to_another_machine(drive: Drive, network: Network) -> None:
    for name in (MINE, "other"):
        make_tiny_model(network.folder / name / "models" / MODEL)

    async def scenario() -> None:
        async with open_window(network.folder / MINE, None, *options(network)) as window:
            page = await opened(window)
            await contribute(window, page)
            answer = await asyncio.to_thread(begun, network)
            async with asyncio.TaskGroup() as tasks:
                rest = tasks.create_task(asyncio.to_thread(answer.read))
                network.node("other", "--no-relay", "--contribute", MODEL)
                await asyncio.to_thread(until_served_by, network, 2)
                assert not rest.done()
                page.top.pause_start.click()
                await until(lambda: status(window) == "paused" and window.status.state.worker.status == "stopped")
            await until(
                lambda: page.top.status.reason.whole_text == "You have paused it until the engine's next start."
            )
            other = network.node_id("other")
            assert answer.error is None
            assert (answer.tokens, answer.finish_reason) == (LONG, "length")
            assert answer.extension["machines"] == [window.status.state.node_id, other]
            assert answer.extension["served_by"] == other
            assert answer.extension["receipt_verified"] is True
            counted = window.status.state.contributing
            assert counted.answered == 0, "it was finished elsewhere"
            assert counted.tokens < LONG, "the rest was written elsewhere"

    drive(scenario())


def test_a_limit_of_memory_hands_the_answer_over_to_another_machine(
    drive: Drive, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # it is all that can compute
    for name in (MINE, "other"):
        make_tiny_model(network.folder / name / "models" / MODEL, caches=WIDE)

    async def scenario() -> None:
        async with open_window(network.folder / MINE, None, *options(network)) as window:
            page = await opened(window)
            page.section("devices").head.click()
            await contribute(window, page)
            answer = await asyncio.to_thread(begun, network)
            async with asyncio.TaskGroup() as tasks:
                rest = tasks.create_task(asyncio.to_thread(answer.read))
                network.node("other", "--no-relay", "--contribute", MODEL)
                await asyncio.to_thread(until_served_by, network, 2)
                assert not rest.done()
                memory = page.device_rows.groups["cpu"].limits["memory_cap"].control
                assert isinstance(memory, NumberField)
                memory.setText("0.3")
                memory.editingFinished.emit()
                await until(lambda: status(window) == "failed" and window.status.state.worker.status == "stopped")
            assert answer.error is None
            assert (answer.tokens, answer.finish_reason) == (LONG, "length")
            assert answer.extension["machines"] == [window.status.state.node_id, network.node_id("other")]
            assert answer.extension["receipt_verified"] is True
            assert "Not signed" not in str(answer.extension["receipt_reason"])

    drive(scenario())


def test_limits_of_the_processor_end_contributing_until_they_are_taken_back(
    drive: Drive, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # it is all that can compute
    make_tiny_model(network.folder / MINE / "models" / MODEL, caches=WIDE)

    async def scenario() -> None:
        async with open_window(network.folder / MINE, None, *options(network)) as window:
            page = await opened(window)
            page.section("devices").head.click()
            await contribute(window, page)
            await asyncio.to_thread(until_served_by, network, 1)
            processor = page.device_rows.groups["cpu"]

            processor.switch.click()
            await until(lambda: status(window) == "paused" and window.status.state.worker.status == "stopped")
            off = "What could compute here may not be used: The processor. It is switched off for contributing."
            await until(lambda: page.top.status.reason.whole_text == off)
            assert page.section("devices").summary.whole_text == "Off"
            await asyncio.to_thread(until_served_by, network, 0)
            processor.switch.click()
            await until(lambda: status(window) == "on" and page.section("devices").summary.whole_text == "Processor")
            await asyncio.to_thread(until_served_by, network, 1)

            memory = processor.limits["memory_cap"].control
            assert isinstance(memory, NumberField)
            memory.setText("0.3")
            memory.editingFinished.emit()
            await until(lambda: status(window) == "failed" and window.status.state.worker.status == "stopped")
            reason = page.top.status.reason.whole_text
            assert reason.startswith(f"The model {MODEL} is not loaded. It needs ")
            assert reason.endswith("of the processor 0.3 GB may be used. Allow more, or choose a smaller model.")
            assert page.top.models.isVisible()
            await asyncio.to_thread(until_served_by, network, 0)
            memory.clear()
            memory.editingFinished.emit()
            await until(lambda: status(window) == "on")
            answer = await asyncio.to_thread(begun, network, 4)
            await asyncio.to_thread(answer.read)
            assert answer.error is None
            assert answer.extension["served_by"] == window.status.state.node_id

    drive(scenario())
