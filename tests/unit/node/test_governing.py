"""The governor at work: rules and counts outlive the engine, damaged ones are set aside, every change is told."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from engine.clock import SystemClock
from engine.governor.readings import Readings
from engine.governor.rules import Rules
from engine.node.governing import Governing, Used
from engine.sentences import parts_of
from engine.storage.files import storage_error


class Source:
    """Sensors that say what the test says."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.hangs = self.closed = False

    async def read(self) -> Readings:
        if self.hangs:
            await asyncio.sleep(3600)
        return Readings(now=SystemClock().monotonic(), **self.fields)

    async def close(self) -> None:
        self.closed = True


class Made:
    """A governor in a folder, and what was heard of it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.changes, self.used, self.wanted = Source(), 0, Used(), True
        self.governing = Governing(
            folder,
            SystemClock(),
            self.source,
            Rules(relay_rate=7),
            changed=self._change,
            used=lambda: self.used,
            serves=lambda: True,
            wanted=lambda: self.wanted,
        )

    def _change(self) -> None:
        self.changes += 1


def codes(made: Made) -> list[str]:
    return [event.words["text"][0].code for event in made.governing.events]


def test_rules_hold_at_once_and_after_a_restart(tmp_path: Path) -> None:
    made = Made(tmp_path)
    assert made.governing.rules.relay_rate == 7
    made.governing.set_rules(Rules(schedule=(0,) * 7))
    assert not made.governing.decision.active
    assert made.changes
    again = Made(tmp_path)
    assert again.governing.rules == Rules(schedule=(0,) * 7)
    assert not again.governing.decision.active
    assert "governor.event_paused" in codes(again)


def spoilt(folder: Path, text: str = "x") -> Made:
    (folder / "rules.json").write_text(text, encoding="utf-8")
    return Made(folder)


def pausing(made: Made) -> list[str]:
    return [parts_of(reason)[0].code for reason in made.governing.decision.reasons]


def test_rules_that_cannot_be_read_pause_everything_until_the_owner_says_so(tmp_path: Path) -> None:
    for made in (spoilt(tmp_path), Made(tmp_path)):  # the second start knows as much as the first
        assert made.governing.rules == Rules(relay_rate=7)
        assert made.governing.in_doubt
        assert pausing(made) == ["governor.rules_doubt"]
        assert parts_of(made.governing.decision.relay_reason)[0].code == "governor.rules_doubt"
        assert parts_of(made.governing.problem)[0].code == "governor.rules_damaged"
        assert (tmp_path / "rules.json").read_text(encoding="utf-8") == "x"
    before = made.changes
    made.governing.resume()
    assert made.changes > before
    assert codes(made)[-2:] == ["governor.event_rules_used", "governor.event_resumed"]
    assert (tmp_path / "rules.json.damaged").read_text(encoding="utf-8") == "x"
    for one in (made, Made(tmp_path)):
        assert one.governing.rules == Rules(relay_rate=7)
        assert one.governing.decision.active
        assert not one.governing.problem
        assert not one.governing.in_doubt
        assert not one.governing.decision.relay_reason


def test_whoever_saves_rules_has_looked(tmp_path: Path) -> None:
    made = spoilt(tmp_path)
    made.governing.set_rules(Rules(serve="my_networks"))
    assert made.governing.decision.active
    assert Made(tmp_path).governing.rules == Rules(serve="my_networks")


def test_the_end_of_a_pause_says_nothing_of_rules(tmp_path: Path) -> None:
    made = spoilt(tmp_path)
    made.governing.pause(60)
    made.governing.resume()
    assert pausing(made) == ["governor.rules_doubt"]
    made.governing.pause(60)
    assert pausing(made) == ["governor.paused", "governor.rules_doubt"]
    made.governing.end_break()  # as the switch does
    made.governing.end_break()
    assert pausing(made) == ["governor.rules_doubt"]
    made.governing.resume()
    assert made.governing.decision.active


def test_what_is_known_of_damaged_rules_holds_and_the_rest_is_named(tmp_path: Path) -> None:
    text = '{"serve": "my_networks", "price": -3, "only_on_sundays": true, "relay_rate": null}'
    made = spoilt(tmp_path, text)
    assert made.governing.rules == Rules(serve="my_networks", relay_rate=7)
    assert pausing(made) == ["governor.rules_doubt"]
    (told,) = parts_of(made.governing.problem)
    assert told.code == "governor.rules_partly"
    assert told.values["names"] == "price, only_on_sundays, relay_rate"
    made.governing.set_rules(made.governing.rules)
    assert (tmp_path / "rules.json.damaged").read_text(encoding="utf-8") == text
    assert Made(tmp_path).governing.decision.active


def test_rules_that_the_system_does_not_give_pause_too(tmp_path: Path) -> None:
    (tmp_path / "rules.json").mkdir()
    made = Made(tmp_path)
    assert pausing(made) == ["governor.rules_doubt"]
    assert parts_of(made.governing.problem)[0].code == "governor.rules_unreadable"
    made.governing.resume()
    assert Made(tmp_path).governing.decision.active


def test_what_could_not_be_read_stays_where_the_disk_refuses_the_new_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = spoilt(tmp_path)
    full = storage_error("write", tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    with monkeypatch.context() as refusing:
        refusing.setattr("engine.node.kept_rules.save_state", Mock(side_effect=full))
        made.governing.resume()
    assert made.governing.decision.active
    assert parts_of(made.governing.problem)[0].code == "governor.rules_not_kept"
    assert (tmp_path / "rules.json").read_text(encoding="utf-8") == "x"
    assert pausing(Made(tmp_path)) == ["governor.rules_doubt"]
    made.governing.set_rules(made.governing.rules)
    assert (tmp_path / "rules.json.damaged").read_text(encoding="utf-8") == "x"
    assert Made(tmp_path).governing.decision.active


class Crash(BaseException):
    """The engine ends here."""


@pytest.mark.parametrize("links", [True, False])
def test_a_crash_before_the_new_rules_are_written_leaves_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    made = spoilt(tmp_path)
    if not links:
        monkeypatch.setattr("os.link", Mock(side_effect=OSError(errno.EPERM, "Operation not permitted")))
    with monkeypatch.context() as crashing:
        crashing.setattr("engine.node.kept_rules.save_state", Mock(side_effect=Crash))
        with pytest.raises(Crash):
            made.governing.resume()
    assert (tmp_path / "rules.json").read_text(encoding="utf-8") == "x"
    again = Made(tmp_path)
    assert pausing(again) == ["governor.rules_doubt"]
    again.governing.resume()
    assert (tmp_path / "rules.json.damaged").read_text(encoding="utf-8") == "x"
    assert Made(tmp_path).governing.decision.active


def test_a_folder_in_the_place_of_the_rules_stays_until_the_new_ones_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, aside = tmp_path / "rules.json", tmp_path / "rules.json.damaged"
    folder.mkdir()
    (folder / "old").write_text("x", encoding="utf-8")
    full = storage_error("write", tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    for refusing, failure in (("save_state", full), ("save_state", Crash()), ("keep_aside", None)):
        made = Made(tmp_path)
        with monkeypatch.context() as played:
            happens = Mock(side_effect=failure, return_value=folder)  # the folder cannot be moved away
            played.setattr(f"engine.node.kept_rules.{refusing}", happens)
            with contextlib.suppress(Crash):
                made.governing.resume()
                assert parts_of(made.governing.problem)[0].code == "governor.rules_not_kept"
        assert (folder / "old").read_text(encoding="utf-8") == "x"
        assert not aside.exists()
        assert not list(tmp_path.glob(".rules*"))
    made.governing.set_rules(made.governing.rules)
    assert (aside / "old").read_text(encoding="utf-8") == "x"
    assert Made(tmp_path).governing.decision.active


def test_whatever_is_damaged_is_set_aside_and_said(tmp_path: Path) -> None:
    files = ("contributed.json", "events.json", "pause.json")
    for file in files:
        (tmp_path / file).write_text("x", encoding="utf-8")
    made = Made(tmp_path)
    assert all((tmp_path / f"{file}.damaged").read_text(encoding="utf-8") == "x" for file in files)
    assert {part.code for part in parts_of(made.governing.problem)} == {
        "governor.count_damaged",
        "governor.log_damaged",
        "governor.pause_damaged",
    }
    again = Made(tmp_path)
    assert not again.governing.problem
    assert "governor.count_damaged" in codes(again), "who looks only now reads it in the log"


def test_the_log_says_nothing_of_pauses_while_nothing_is_contributed(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.wanted = False
    made.governing.pause(60)
    made.governing.resume()
    made.governing.set_rules(Rules(schedule=(0,) * 7))
    assert codes(made) == ["governor.event_rules"]
    made.wanted = True
    made.governing.decide()
    made.governing.decide()
    assert codes(made) == ["governor.event_rules", "governor.event_paused"]
    made.wanted = False
    made.governing.set_rules(Rules())
    made.wanted = True
    made.governing.decide()
    assert codes(made) == ["governor.event_rules", "governor.event_paused", "governor.event_rules"]


def test_rules_that_cannot_be_kept_hold_and_say_so(tmp_path: Path) -> None:
    made = Made(tmp_path)
    (tmp_path / "rules.json").mkdir()
    made.governing.set_rules(Rules(price=1))
    assert made.governing.rules.price == 1
    assert parts_of(made.governing.problem)[0].code == "governor.rules_not_kept"


async def test_looks_decide_count_and_are_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.source.fields = {"battery": True, "power": 50.0}
    looks = []
    made.governing.looked = lambda: looks.append(made.used)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.governing.run())
        while len(looks) < 2:
            await asyncio.sleep(0.01)
            made.used = Used(moved=1e6, relayed=5e5, tokens=40)
        running.cancel()
    assert made.source.closed
    assert [parts_of(reason)[0].code for reason in made.governing.decision.reasons] == ["governor.battery"]
    month = Made(tmp_path).governing.month
    assert (month.bytes, month.relayed_bytes, month.tokens) == (1e6, 5e5, 40)
    assert month.joules > 0


async def test_what_answers_moved_is_held_to_their_rate_and_what_was_passed_on_is_not(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.governing.set_rules(Rules(serve_rate=0.8))  # 100,000 bytes a second
    looks: list[float] = []
    made.governing.looked = lambda: looks.append(made.governing.decision.pace)

    async def looked(used: Used) -> float:
        made.used = used
        del looks[:]
        while len(looks) < 2:
            await asyncio.sleep(0.01)
        return looks[-1]

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.governing.run())
        cells = 4e5
        relayed = cells * 1100
        assert await looked(Used(moved=cells * 2 * 1160, relayed=relayed)) == 1, "each comes in, and goes on"
        assert await looked(Used(moved=cells * 2 * 1160 + 5e6, relayed=relayed)) < 1
        running.cancel()
    assert [parts_of(reason)[0].code for reason in made.governing.decision.slowed] == ["governor.slowed_rate"]


def test_the_owners_pause_is_told_and_ends_by_hand(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.governing.pause(60)
    assert made.governing.decision.reasons
    made.governing.resume()
    assert not made.governing.decision.reasons
    assert codes(made) == ["governor.event_paused", "governor.event_resumed"]
