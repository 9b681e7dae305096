"""When a member made its statements, whatever becomes of the clocks."""

from __future__ import annotations

import pytest

from engine.crypto.identity import Identity
from engine.forwarding.hr_tree import HrTree
from engine.forwarding.known import Known
from engine.forwarding.members import Load
from engine.forwarding.prediction import SILENCE
from engine.forwarding.statements import load_message, make_statement
from engine.ids import NodeId
from engine.wire.group import GroupStatement

AUTHOR = Identity.from_seed(b"a" * 32)
WALL = 1_750_000_000.0
WAY = 0.05


class Ears:
    """Hears one member, whose clocks and ours may jump; time is the true one."""

    def __init__(self, interval: float = 1.0) -> None:
        self.tree: HrTree[NodeId] = HrTree()
        self.known = Known(AUTHOR.node_id, 0.0)
        self.interval = interval
        self.sequence = 0
        self.t = 0.0
        self.its_wall = WALL - 40.0  # more than the true time
        self.our_clock = 1_000.0

    def say(self, delay: float = WAY) -> float:
        """Its next statement comes; how old it seems."""
        self.sequence += 1
        load = load_message(Load(queue_tokens=self.sequence))
        said = GroupStatement(1, self.sequence, 0, self.t + self.its_wall, load, True, False, bytes(16), b"", b"")
        statement = make_statement(AUTHOR, b"n" * 32, b"m" * 32, said)
        now = self.t + delay + self.our_clock
        self.known.take(statement, self.tree, now)
        self.t += self.interval
        return now - self.known.heard

    def run(self, seconds: float) -> list[float]:
        return [self.say() for _ in range(round(seconds / self.interval))]


@pytest.mark.parametrize("interval", [0.25, 1.0, 5.0])
@pytest.mark.parametrize("step", [-179.0, -60.0, -20.0, 20.0, 60.0, 179.0])
def test_a_member_whose_clock_jumps_does_not_look_silent(step: float, interval: float) -> None:
    ears = Ears(interval)
    ears.run(60)
    ears.its_wall += step
    assert max(ears.run(60)) < 0.01
    ears.its_wall -= step  # and is put right again
    assert max(ears.run(60)) < 0.01


def test_a_clock_that_is_put_back_by_less_than_an_interval_makes_it_look_so_much_older_at_most() -> None:
    ears = Ears(5.0)
    ears.run(60)
    ears.its_wall -= 4.0
    ages = ears.run(400)
    assert max(ages) < 4.0 < SILENCE
    assert ages[-1] < 0.01


@pytest.mark.parametrize("seconds", [30.0, 3_600.0])
def test_neither_side_looks_silent_after_a_pause_of_the_machine(seconds: float) -> None:
    """The clock that never jumps stands still while a machine sleeps; the other one goes on."""
    ears = Ears()
    ears.run(60)
    ears.our_clock -= seconds  # we slept, and it went on speaking
    ears.t += seconds
    assert max(ears.run(60)) < 0.01
    ears.t += seconds  # it slept
    assert max(ears.run(60)) < 0.01


def test_what_comes_late_is_as_old_as_it_is() -> None:
    ears = Ears()
    ears.run(60)
    assert ears.say(WAY + 3.0) == pytest.approx(3.0, abs=0.1)  # less what a way may become longer meanwhile
    assert ears.say() < 0.05


def test_a_longer_way_is_in_time_no_delay() -> None:
    ears = Ears()
    ears.run(60)
    ages = [ears.say(2 * WAY) for _ in range(10)]
    assert ages[0] == pytest.approx(WAY, abs=0.03)
    assert ages[-1] < 0.01
