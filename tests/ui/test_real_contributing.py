"""The page *Contribute* with the engine that people run: switch, pauses with their reasons and ends, rules, log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from app.models.week import ALWAYS, at
from app.views.pages.contribute_page import ContributePage
from engine.clock import SystemClock
from tests.ui.conftest import Drive, Window, open_window, until

CLOCK = SystemClock()
OPTIONS = ("--api-port", "0", "--threads", "1", "--log-level", "warning")
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


async def opened(window: Window) -> ContributePage:
    """The page, when the engine has said what is ruled."""
    window.window.open_page("contribute")
    page = window.window.page_widget("contribute")
    assert isinstance(page, ContributePage)
    await until(lambda: window.status.contribution.now is not None and page.top.contribute.isEnabled())
    return page


def status(window: Window) -> str:
    return str(window.status.state.contributing.status) if window.status.state is not None else ""


def happened(page: ContributePage) -> list[str]:
    """What the log shows, newest first; it comes beside the state."""
    return [words for _, words in page.event_list._events]


async def switch_on(window: Window, page: ContributePage) -> None:
    await until(lambda: window.status.state.network.status != "none")
    page.top.contribute.click()
    await until(lambda: status(window) == "on")


def test_switch_pause_and_going_on(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            page = await opened(window)
            assert page.choice.value == "", "new contributors leave the model to the engine"
            assert page.choice.itemText(0) == "Automatic"
            await switch_on(window, page)
            await until(lambda: page.top.pause_hour.isVisible())
            before = CLOCK.wall()
            page.top.pause_hour.click()
            await until(lambda: status(window) == "paused" and window.status.state.worker.status == "stopped")
            assert before + 3590 < window.status.state.contributing.until < CLOCK.wall() + 3610
            await until(lambda: page.top.resume.isVisible())
            await until(lambda: page.top.status.reason.whole_text.startswith("You have paused it until "))
            page.top.resume.click()
            await until(lambda: status(window) == "on")
            page.top.pause_start.click()
            await until(lambda: status(window) == "paused")
            await until(
                lambda: page.top.status.reason.whole_text == "You have paused it until the engine's next start."
            )
            page.top.resume.click()
            await until(lambda: status(window) == "on" and not page.top.resume.isVisible())
            page.section("log").head.click()
            await until(lambda: happened(page)[:1] == ["Contributing goes on."])
            await until(lambda: "Paused. You have paused it." in happened(page))
            page.top.contribute.click()
            await until(lambda: status(window) == "off")

    drive(scenario())


def test_the_engine_says_why_it_has_chosen_its_model(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            page = await opened(window)
            await switch_on(window, page)
            await until(lambda: window.status.state.contributing.model_reason)
            await until(lambda: "gentorrent-builtin is the only model here" in page._model_row.about.whole_text)
            page.choice.chosen.emit("gentorrent-builtin")
            await until(lambda: not window.status.state.contributing.model_reason)
            await until(lambda: page._model_row.about.whole_text == "Others are answered with this one.")

    drive(scenario())


def test_a_schedule_that_closes_pauses_and_rules_outlive_the_engine(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            page = await opened(window)
            await switch_on(window, page)
            page.section("when").head.click()
            far = (datetime.fromtimestamp(CLOCK.wall()).astimezone().weekday() + 3) % 7
            week = frozenset([at(far, 12)])
            page.rules["when"].grid.chosen.emit(week)  # type: ignore[attr-defined]
            page.rules["when"].fields.fields["contention_share"].chosen.emit("contention_share", 0.8)
            await until(lambda: status(window) == "paused")
            await until(lambda: window.status.state.contributing.reason == "The weekly schedule has this hour off.")
            told = window.status.state.contributing
            assert CLOCK.wall() + 86_400 < told.until < CLOCK.wall() + 4 * 86_400
            await until(
                lambda: "The weekly schedule has this hour off. Goes on at" in page.top.status.reason.whole_text
            )
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            page = await opened(window)
            await until(lambda: status(window) == "paused")
            page.section("when").head.click()
            assert page.rules["when"].grid.week == week  # type: ignore[attr-defined]
            assert window.status.contribution.rules.contention_share == 0.8
            page.section("log").head.click()
            await until(lambda: "Paused. The weekly schedule has this hour off." in happened(page))
            page.rules["when"].grid.chosen.emit(ALWAYS)  # type: ignore[attr-defined]
            await until(lambda: status(window) == "on")

    drive(scenario())


def test_rules_that_cannot_be_read_pause_until_they_are_used(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        data = tmp_path / "node"
        data.mkdir()
        (data / "rules.json").write_text('{"price": 0.25, "only_on_sundays": true}', encoding="utf-8")
        async with open_window(data, None, *OPTIONS, "--bootstrap", network) as window:
            page = await opened(window)
            await until(page.problem.isVisible)
            assert "could not be read: only_on_sundays." in page.problem.status.reason.whole_text
            await until(lambda: window.status.state.network.status != "none")
            page.top.contribute.click()  # which is no word about rules
            await until(lambda: status(window) == "paused")
            await until(lambda: "could not be read" in window.status.contribution.now.relay_reason)
            page.problem.button.click()
            await until(lambda: status(window) == "on" and not page.problem.isVisible())
            assert window.status.contribution.rules.price == 0.25
            assert "only_on_sundays" in (data / "rules.json.damaged").read_text(encoding="utf-8")

    drive(scenario())
