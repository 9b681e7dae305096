"""Set-ups that a relay has taken are recognised after a restart, whatever happened to the disk."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.crypto import onion
from engine.ids import CircuitId
from engine.paths.effects import Lane
from engine.paths.relay import RelayMachine
from engine.paths.setup import ReplayCache
from engine.storage.replay_log import ReplayLog
from engine.wire.codec import encode
from engine.wire.link import CreateCircuit, DestroyCircuit
from tests.support.wires import decoded, node

KEY = b"k" * 32
MEMORY = 450.0


class Stepped:
    """A clock that is set at will."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0

    def wall(self) -> float:
        return self.now


def tag(number: int) -> bytes:
    return number.to_bytes(16, "big")


def tags(loaded: list[tuple[float, bytes]]) -> list[int]:
    return sorted(int.from_bytes(one, "big") for _, one in loaded)


@pytest.mark.parametrize("seed", range(10))
def test_after_any_number_of_restarts_exactly_what_is_young_enough_is_known(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    clock = ManualClock()
    taken: dict[int, float] = {}
    log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    log.load()
    for number in range(400):
        clock.advance(source.choice((0.0, 1.0, 20.0)))
        log.append(tag(number))
        taken[number] = clock.wall()
        if source.random() < 0.05:  # killed: nothing is closed in order
            clock.advance(source.choice((0.0, 1.0, 100.0)))
            log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
            loaded = log.load()
            young = [known for known, at in taken.items() if at + MEMORY > clock.wall()]
            assert tags(loaded) == sorted(young)
            assert all(date == taken[int.from_bytes(one, "big")] for date, one in loaded)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 24 * 400
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir() if os.name == "posix")


def test_a_torn_record_and_a_clock_set_back_lose_nothing_else(tmp_path: Path) -> None:
    clock = ManualClock()
    log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    log.load()
    log.append(tag(1))
    log.append(tag(2))
    with (tmp_path / "set-ups").open("ab") as file:
        file.write(b"torn")
    earlier = ManualClock(clock.wall() - 3600)
    again = ReplayLog(tmp_path / "set-ups", MEMORY, earlier.wall)
    assert again.load() == [(clock.wall(), tag(1)), (clock.wall(), tag(2))]
    again.append(tag(3))
    assert tags(ReplayLog(tmp_path / "set-ups", MEMORY, earlier.wall).load()) == [1, 2, 3]


def test_what_a_clock_ahead_has_left_out_is_known_to_be_left_out(tmp_path: Path) -> None:
    """Of a clock that is set back nobody may believe that all is known which it took before."""
    clock = Stepped()
    log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    assert (log.load(), log.forgotten) == ([], -1.0)
    log.append(tag(1), clock.now + 100.0)
    log.append(tag(2))
    for step in (MEMORY + 1, MEMORY + 1):
        clock.now += step
        log.append(tag(3))
    clock.now -= 2 * (MEMORY + 1)
    for _ in range(2):  # it outlives a second start
        again = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
        assert tags(again.load()) == [3]
        assert again.forgotten == clock.now + MEMORY + 1


def test_what_a_clock_ahead_has_dated_is_kept_when_it_was_set_back(tmp_path: Path) -> None:
    clock = Stepped()
    log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    log.load()
    log.append(tag(1), clock.now + 7_200.0)
    for number in range(2, 12):
        clock.now += 300.0
        log.append(tag(number))
    again = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    assert tags(again.load()) == [1, 10, 11]
    assert again.forgotten == clock.now - 600.0


def test_of_more_than_a_file_may_hold_the_oldest_are_left_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("engine.storage.replay_log.MAXIMUM_KEPT", 3)
    clock = Stepped()
    log = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    log.load()
    for number in (3, 1, 4, 2, 5):
        log.append(tag(number), clock.now + number)
    again = ReplayLog(tmp_path / "set-ups", MEMORY, clock.wall)
    assert (tags(again.load()), again.forgotten) == ([3, 4, 5], clock.now + 2)


def test_where_nothing_can_be_written_the_relay_works_and_says_so(tmp_path: Path, caplog) -> None:
    log = ReplayLog(tmp_path / "missing" / "set-ups", MEMORY, ManualClock().wall)
    assert log.load() == []
    log.append(tag(1))
    assert "will not be recognised after a restart" in caplog.text


def test_a_disk_that_fills_up_is_told_once(tmp_path: Path, caplog, monkeypatch) -> None:
    log = ReplayLog(tmp_path / "set-ups", MEMORY, ManualClock().wall)
    log.load()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    log.append(tag(1))
    log.append(tag(2))
    assert caplog.text.count("the disk is full") == 1


def test_a_relay_that_was_restarted_refuses_what_it_took_before(tmp_path: Path) -> None:
    clock = ManualClock()
    me, client = node("relay"), node("client")

    def started() -> RelayMachine:
        log = ReplayLog(tmp_path / "set-ups", onion.REPLAY_MEMORY, clock.wall)
        kept = [(date + onion.REPLAY_MEMORY, one) for date, one in log.load()]  # its clocks show the same
        machine = RelayMachine(
            me,
            lambda: [KEY],
            lambda _: True,
            lambda _: False,
            random.Random(1).randbytes,
            replays=ReplayCache(100, kept, log.append),
        )
        machine.link_up(client, True, clock.monotonic())
        return machine

    hops = [onion.Hop(me, onion.public_onion_key(KEY), CircuitId(7), 5_000)]
    packet, keys = onion.build(hops, clock.wall(), random.Random(2).randbytes)
    create = encode(CreateCircuit((7).to_bytes(8, "big"), packet))
    first, again = started(), None
    (answer,) = first.receive(client, Lane.CONTROL, create, clock.monotonic(), clock.wall())
    assert onion.open_reply(keys, decoded(answer.data).sealed).hop_index == 0
    for seconds in (0.0, 5.0, 200.0):
        clock.advance(seconds)
        again = started()
        (refused,) = again.receive(client, Lane.CONTROL, create, clock.monotonic(), clock.wall())
        assert isinstance(decoded(refused.data), DestroyCircuit)
        assert again.circuits == 0
