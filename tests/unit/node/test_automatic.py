"""What a node knows of its network and itself, and which model is chosen from that; the owner's word comes first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.forwarding.members import Load, Member
from engine.governor.choosing import Seen, asked_of
from engine.governor.readings import DeviceReading, Readings
from engine.governor.rules import DeviceRules, Rules
from engine.ids import NodeId
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.supervisor.devices import PROCESSOR, Device
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.types import ModelInfo
from engine.library.fit import PROGRAM, Machine
from engine.library.known import known_models
from engine.node.automatic import AUTOMATIC, as_used, missing, room, seen_among, seen_in
from engine.node.node import Node
from engine.node.status import contributing_state
from engine.storage.data_directory import DataDirectory, acquire_lock
from tests.support.records import directory_of, identity, served_model

GIGABYTE = 1_000_000_000
MACHINE = Machine(memory=16 * GIGABYTE, available=12 * GIGABYTE, read_speed=40.0 * GIGABYTE)
CARD = Machine(16 * GIGABYTE, 12 * GIGABYTE, 40.0 * GIGABYTE, "Card", 24 * GIGABYTE, 900.0 * GIGABYTE)
SMALL, LARGE = "SmolLM2-135M-Instruct", "SmolLM2-1.7B-Instruct"


def test_the_directory_tells_who_serves_and_who_was_answering() -> None:
    busy, idle = served_model(kv_tokens_free=400), served_model(kv_tokens_free=1000)
    served = {1: [busy], 2: [idle], 3: [served_model("other")], 4: [busy]}
    directory = directory_of(6, models=lambda number: served.get(number, []))
    assert seen_in(directory, "m", identity(4).node_id) == Seen(2, asked_of(0.5))
    assert seen_in(directory, "m", identity(9).node_id) == Seen(3, asked_of(2 / 3))
    assert seen_in(directory, "nobodys", identity(9).node_id) == Seen(0, 0.0)


def test_the_own_group_tells_what_waits() -> None:
    loads = [Load(running=4, waiting=5), Load(running=3)]
    members = [Member(node_id=NodeId(bytes([at]) * 32), load=load, heard=0.0) for at, load in enumerate(loads)]
    assert seen_among(members, 0) == Seen(1, 6.0)
    assert seen_among(members, 7) == Seen(7, 6.0), "of large groups not all are heard"


def gpu(name: str, size: int) -> Device:
    return Device("cuda", name, name, memory=size * GIGABYTE)


def test_room_is_that_of_the_smallest_device_that_the_workers_may_use() -> None:
    large, small = (gpu("a", 24), DeviceLimit()), (gpu("b", 8), DeviceLimit())
    seen = Readings(now=0.0, devices=tuple(DeviceReading(device=name, others_memory=GIGABYTE) for name in "ab"))
    assert room(CARD, [large, small], seen, 0) == int(7.2 * GIGABYTE) - GIGABYTE
    assert room(CARD, [large], seen, 0) == int(21.6 * GIGABYTE) - GIGABYTE
    assert room(CARD, [large], None, 0) == int(21.6 * GIGABYTE), "without sensors"
    capped = (gpu("a", 24), DeviceLimit(memory=2 << 30))
    assert room(CARD, [capped], seen, 0) == (2 << 30) - (512 << 20) + PROGRAM, "what a worker takes beside it counts"
    assert room(CARD, [(gpu("a", 24), DeviceLimit(memory=1))], seen, 0) == 0


def test_room_on_the_processor_is_what_its_cap_leaves() -> None:
    free = (PROCESSOR, DeviceLimit())
    assert 0 < room(CARD, [free], None, 0) <= 8 * GIGABYTE, "half of the main memory"
    assert room(CARD, [(PROCESSOR, DeviceLimit(memory=1 << 30))], None, 16 * GIGABYTE) == 1 << 30
    assert as_used(CARD, [free], {}) == MACHINE, "no card counts that is off"


def test_of_the_graphics_cards_the_smallest_that_is_on_counts() -> None:
    large, small = (gpu("a", 24), DeviceLimit()), (gpu("b", 8), DeviceLimit())
    speeds = {"a": 9e11, "b": 3e11}
    for usable, card in (([large], ("a", 24, 9e11)), ([small], ("b", 8, 3e11)), ([large, small], ("b", 8, 3e11))):
        used = as_used(CARD, usable, speeds)
        assert (used.gpu, used.gpu_memory // GIGABYTE, used.gpu_read_speed) == card
        assert (used.memory, used.read_speed) == (CARD.memory, CARD.read_speed)
    assert as_used(CARD, [(gpu("c", 0), DeviceLimit())], {}).gpu_memory == CARD.gpu_memory, "it does not say"


def test_what_is_not_here_is_judged_by_the_catalogue(tmp_path: Path) -> None:
    catalogue = known_models(tmp_path)
    here = [_info(SMALL, 100)]
    found = {one.model: one for one in missing(catalogue, here, MACHINE)}
    assert SMALL not in found
    assert found[LARGE].size > GIGABYTE // 2
    assert found[LARGE].tokens_per_s > 0
    assert not found[LARGE].here


def _info(model: str, megabytes: int, **more: Any) -> ModelInfo:
    return ModelInfo(
        model_id=model,
        digest=model.encode().ljust(32, b"-")[:32],
        tokenizer_digest=b"t" * 32,
        context_length=4096,
        slots=4,
        memory=megabytes * 1_000_000,
        **more,
    )


class Models:
    """What would run models; it loads nothing."""

    barred = ""

    def __init__(self) -> None:
        self.infos: tuple[ModelInfo, ...] = ()
        self.limit = DeviceLimit()

    def models(self) -> list[ModelInfo]:
        return list(self.infos)

    def usable(self) -> tuple[tuple[Device, DeviceLimit], ...]:
        return ((PROCESSOR, self.limit),)


def lie_here(node: Node, *infos: ModelInfo) -> None:
    cast(Any, node.inference).infos = infos


@contextmanager
def made(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Iterator[Node]:
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    configuration = Configuration(
        data_directory=folder, bootstrap="http://127.0.0.1:1", api_port=0, sensors=False, **more
    )
    with acquire_lock(DataDirectory(folder).lock) as lock:
        node = Node(configuration, lock, SystemClock())
        yield node
        node.api._socket.close()


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Node]:
    with made(tmp_path, monkeypatch, **getattr(request, "param", {})) as node:
        node.inference = cast(Any, Models())
        node.automatic._machine = MACHINE
        lie_here(node, _info(BUILTIN_MODEL, 20), _info(SMALL, 150), _info(LARGE, 1200))
        yield node


def test_the_choice_is_served_and_told_with_its_reason(node: Node) -> None:
    assert node.contributed_model == BUILTIN_MODEL, "until there is a choice"
    node.automatic.look()
    assert node.contributed_model == LARGE
    told = contributing_state(node)
    assert told.model == LARGE
    assert told.words["model_reason"][0].code == "automatic.chosen"
    assert node.governing.events[-1].words["text"][0].code == "automatic.event"
    events = len(node.governing.events)
    node.automatic.look()
    assert len(node.governing.events) == events, "told once"


def test_the_owners_own_choice_counts(node: Node) -> None:
    node.automatic.look()
    node.governing.set_rules(Rules(model=SMALL))
    assert node.contributed_model == SMALL
    assert contributing_state(node).model_reason == ""
    node.governing.set_rules(Rules())
    assert node.contributed_model == LARGE


@pytest.mark.parametrize(
    ("node", "model"), [({"contribute": SMALL}, SMALL), ({"contribute": AUTOMATIC}, LARGE)], indirect=["node"]
)
def test_the_setting_names_a_model_or_leaves_it_open(node: Node, model: str) -> None:
    assert node.contribute_wanted
    node.automatic.look()
    assert node.contributed_model == model


def test_a_cap_of_the_processors_memory_bounds_the_choice(node: Node) -> None:
    inference = cast(Any, node.inference)
    inference.limit = DeviceLimit(memory=700_000_000)
    node.automatic.look()
    assert node.contributed_model == SMALL
    inference.limit, inference.barred = DeviceLimit(memory=1), "It is switched off."
    node.automatic.look()
    assert node.contributed_model == SMALL, "nobody is served, so nothing is chosen"


@pytest.mark.parametrize(
    ("off", "model"),
    [
        ((), SMALL),
        (("little",), LARGE),
        (("big",), SMALL),
        (("big", "little"), SMALL),
    ],
)
def test_the_memory_of_a_device_that_is_switched_off_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: tuple[str, ...], model: str
) -> None:
    """From the owner's rules to the choice. A model is loaded on each card that is on, else on the processor."""
    cards = (gpu("big", 24), gpu("little", 1), PROCESSOR)
    monkeypatch.setattr("engine.node.backends.find_devices", lambda: cards)
    with made(tmp_path, monkeypatch) as node:
        infos = [_info(BUILTIN_MODEL, 20), _info(SMALL, 150), _info(LARGE, 1200)]
        monkeypatch.setattr(node.inference, "models", lambda: infos)
        node.automatic._machine = CARD
        switched = tuple(DeviceRules(device=name, on=False) for name in off)
        node.governing.set_rules(Rules(devices=(*switched, DeviceRules(device="cpu", memory_cap=800))))
        node.automatic.look()
        assert node.contributed_model == model


def test_a_device_that_rests_is_not_lost(node: Node) -> None:
    node.automatic.look()
    assert node.contributed_model == LARGE
    node.devices.resting = True  # the processor steps in for a card, say, and has no room for it
    cast(Any, node.inference).limit = DeviceLimit(memory=700_000_000)
    node.automatic.look()
    assert node.contributed_model == LARGE
    node.devices.resting = False
    node.automatic.look()
    assert node.contributed_model == SMALL, "it stays away"


def test_what_the_owner_has_put_here_is_shown_to_nobody_unasked(node: Node) -> None:
    lie_here(node, _info(BUILTIN_MODEL, 20), _info("my-own-diary", 3000), _info(f"{LARGE}:q4", 900))
    node.automatic.look()
    assert node.contributed_model == BUILTIN_MODEL


def test_a_model_that_cannot_be_loaded_gives_way(node: Node) -> None:
    node.contribute_wanted = True
    node.automatic.look()
    node.keeper.problem = "The file is damaged."
    node.automatic.look()
    assert node.contributed_model == SMALL
    codes = [part.code for part in contributing_state(node).words["model_reason"]]
    assert "automatic.failed" in codes


def test_measured_speeds_are_remembered_when_the_model_is_gone(node: Node) -> None:
    lie_here(
        node,
        _info(BUILTIN_MODEL, 20),
        _info(SMALL, 150),
        _info(LARGE, 1200, decode_rate_alone=1.5, provider="CPUExecutionProvider"),
    )
    node.automatic.look()
    assert node.contributed_model == SMALL, "slower here than anybody would wait for"
    lie_here(node, _info(BUILTIN_MODEL, 20), _info(SMALL, 150), _info(LARGE, 1200))
    node.automatic.look()
    assert node.contributed_model == SMALL
