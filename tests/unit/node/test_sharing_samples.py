"""Receipts of a few of the owner's answers are handed in by themselves, once the owner agrees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.api.schema import MachineStanding
from engine.api.service import AnswerDone
from engine.clock import ManualClock
from engine.errors import NetworkNotReadyError
from engine.node.sharing_samples import DAY, FILE, MOST_A_DAY, MOST_WAIT_SECONDS, SharingSamples
from engine.verification.receipt_file import export_receipt
from tests.support.receipts import NETWORK, part

NOW = 20_000 * DAY + 1_000.0
RECEIPT = json.dumps(export_receipt(NETWORK, [part()]))


def answer(**changes: Any) -> AnswerDone:
    fields: dict[str, Any] = {
        "finish_reason": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "served_by": "somebody",
        "receipt_export": RECEIPT,
        "standings": (MachineStanding(node="somebody", standing="established"),),
    }
    return AnswerDone(**(fields | changes))


class Reported:
    """What would be handed in, and whether it had to be hidden."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bool]] = []
        self.refusal: NetworkNotReadyError | None = None

    async def report(self, data: bytes, *, hidden: bool = False) -> int:
        self.sent.append((data, hidden))
        if self.refusal is not None:
            raise self.refusal
        return 1


class Shared:
    """``lot``: what is drawn, of one hundred; ``wait``: seconds, of half an hour."""

    def __init__(self, folder: Path, runner: asyncio.Runner, lot: int = 0, now: float = NOW) -> None:
        self._runner = runner
        self.reported, self.clock, self.lot, self.wait = Reported(), ManualClock(now), lot, 0
        self.waited: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.sharing = SharingSamples(folder, self.reported, self.clock, self._drawn, self._sleep)

    def _drawn(self, count: int) -> bytes:
        return (self.lot if count == 1 else self.wait).to_bytes(count, "big")

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.advance(seconds)
        self.meanwhile()

    def told(self, answers: int = 1, done: AnswerDone | None = None) -> list[tuple[bytes, bool]]:
        """What has been handed in after so many answers."""

        async def scenario() -> None:
            for _ in range(answers):
                self.sharing.answered(done or answer())
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(self.sharing.run())
                for _ in range(20):
                    await asyncio.sleep(0)
                running.cancel()

        self._runner.run(scenario())
        return self.reported.sent


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


def test_nothing_is_handed_in_before_the_owner_agrees_and_after_it_agrees_no_more(
    tmp_path: Path, runner: asyncio.Runner
) -> None:
    shared = Shared(tmp_path, runner)
    assert not shared.sharing.on
    assert shared.told() == []
    shared.sharing.agree(True)
    shared.sharing.answered(answer())
    shared.sharing.agree(False)
    assert shared.told() == [], "nor what was drawn before"
    assert not (tmp_path / FILE).exists()
    assert not SharingSamples(tmp_path, shared.reported, shared.clock, bytes).on


def test_what_waits_while_the_owner_says_no_does_not_go_when_it_agrees_anew(
    tmp_path: Path, runner: asyncio.Runner
) -> None:
    shared = Shared(tmp_path, runner)

    def change_of_mind() -> None:
        shared.sharing.agree(False)
        shared.sharing.agree(True)

    shared.sharing.agree(True)
    shared.meanwhile = change_of_mind
    assert shared.told() == []
    shared.meanwhile = lambda: None
    assert len(shared.told()) == 1, "the next one does"


def test_each_goes_within_half_an_hour_after_its_answer_whatever_goes_before(
    tmp_path: Path, runner: asyncio.Runner
) -> None:
    shared = Shared(tmp_path, runner)
    shared.wait = MOST_WAIT_SECONDS - 1
    shared.sharing.agree(True)
    assert len(shared.told(MOST_A_DAY)) == MOST_A_DAY
    assert sum(shared.waited) == MOST_WAIT_SECONDS - 1


def test_the_receipt_alone_goes_later_and_over_anonymous_paths_or_not_at_all(
    tmp_path: Path, runner: asyncio.Runner
) -> None:
    shared = Shared(tmp_path, runner)
    shared.wait = 77
    shared.sharing.agree(True)
    ((sent, hidden),) = shared.told()
    assert hidden
    assert shared.waited == [77]
    parts = json.loads(sent)["parts"]
    assert [one["opening"] for one in parts] == [None], "without question, answer, or a key to them"
    assert json.loads(RECEIPT)["parts"][0]["opening"] is not None
    assert MOST_WAIT_SECONDS == 1800


@pytest.mark.parametrize(("lot", "sent"), [(0, 1), (1, 1), (2, 0), (99, 0)])
def test_two_of_a_hundred_are_drawn(tmp_path: Path, runner: asyncio.Runner, lot: int, sent: int) -> None:
    shared = Shared(tmp_path, runner, lot)
    shared.sharing.agree(True)
    assert len(shared.told()) == sent


@pytest.mark.parametrize("changes", [{"standings": ()}, {"receipt_export": ""}])
def test_where_nobody_verifies_or_nothing_was_signed_nothing_is_handed_in(
    tmp_path: Path, runner: asyncio.Runner, changes: dict[str, Any]
) -> None:
    shared = Shared(tmp_path, runner)
    shared.sharing.agree(True)
    assert shared.told(done=answer(**changes)) == []


def test_a_day_has_a_few_whatever_happens_to_engine_and_clock(tmp_path: Path, runner: asyncio.Runner) -> None:
    shared = Shared(tmp_path, runner)
    shared.sharing.agree(True)
    assert len(shared.told(MOST_A_DAY + 5)) == MOST_A_DAY
    assert shared.sharing.state("r").today == MOST_A_DAY
    again = Shared(tmp_path, runner)
    assert again.sharing.on
    assert again.told() == []
    assert Shared(tmp_path, runner, now=NOW - DAY).told() == [], "a clock that is set back gives none anew"
    again.clock.set(NOW + DAY)
    assert len(again.told()) == 1
    assert again.sharing.state("r").today == 1


def test_what_cannot_be_brought_is_given_up(tmp_path: Path, runner: asyncio.Runner) -> None:
    shared = Shared(tmp_path, runner)
    shared.sharing.agree(True)
    shared.reported.refusal = NetworkNotReadyError("nobody is there")
    assert len(shared.told()) == 1
    assert len(shared.told()) == 2, "the next one is tried all the same"


def test_a_damaged_file_means_no_consent(tmp_path: Path, runner: asyncio.Runner) -> None:
    (tmp_path / FILE).write_text("{on: perhaps")
    shared = Shared(tmp_path, runner)
    assert not shared.sharing.on
    shared.sharing.agree(True)
    assert Shared(tmp_path, runner).sharing.on
