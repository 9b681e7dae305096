"""When the paths of the next chat are built: ahead of need, but not while a question leaves."""

from __future__ import annotations

import random

import pytest

from engine.crypto.onion import public_onion_key
from engine.directory.shapes import Shape
from engine.ids import NodeId
from engine.paths.circuits import CircuitClient, PathHop
from engine.paths.effects import CircuitOpened, Send
from engine.paths.path_sets import SPARE_AFTER_SECONDS, PathSets
from tests.support.wires import WALL, node

GUARDS = [node(f"guard-{number}") for number in range(4)]
KEY = public_onion_key(b"k" * 32)
SHAPE = Shape(n=4, k=3, length=3)


def draw(guards: tuple[NodeId, ...], *_: object) -> list[PathHop]:
    return [PathHop(name, KEY) for name in (guards[0], node("middle"), node("proxy"))]


def path_sets() -> PathSets:
    """Spare paths are open at time 0."""
    sets = PathSets(CircuitClient(random.Random(3).randbytes), draw, SHAPE)
    sets.set_guards(GUARDS)
    for guard in GUARDS:
        sets.link_up(guard)
    assert sets.next_deadline() == 0.0
    sets._draw_sparing = lambda owner, slot, guard, used, now: draw((guard,))  # type: ignore[method-assign]
    assert len(built(sets, 0.0)) == 4
    for circuit in list(sets._by_circuit):
        sets.on_event(CircuitOpened(circuit, 0.1), 0.0)
    assert sets.ready() == 4
    return sets


def built(sets: PathSets, now: float) -> list[Send]:
    return [effect for effect in sets.tick(now, WALL) if isinstance(effect, Send)]


def test_the_next_spare_paths_are_built_after_the_question_has_left() -> None:
    sets = path_sets()
    assert len(sets.ensure(b"chat", 1.0).open_slots()) == 4
    assert built(sets, 1.0) == []
    assert built(sets, 1.0 + SPARE_AFTER_SECONDS / 2) == []
    assert sets.next_deadline() == pytest.approx(1.0 + SPARE_AFTER_SECONDS)
    assert len(built(sets, 1.0 + SPARE_AFTER_SECONDS)) == 4


def test_who_waits_for_paths_gets_them_at_once() -> None:
    sets = path_sets()
    sets.ensure(b"chat", 1.0)
    sets.prepare(SHAPE, 1.01)
    assert len(built(sets, 1.01)) == 4


def test_a_chat_that_has_its_paths_delays_nothing() -> None:
    sets = path_sets()
    sets.ensure(b"chat", 1.0)
    sets.ensure(b"chat", 1.4)
    assert len(built(sets, 1.0 + SPARE_AFTER_SECONDS)) == 4
