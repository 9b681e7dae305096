"""The model that is contributed: the owner's choice, or what :mod:`engine.governor.choosing` makes of what this node
knows of its memory, of its speed and of its network."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.clock import Clock
from engine.directory.directory import Directory
from engine.errors import GenTorrentError
from engine.forwarding.members import Member
from engine.governor.choosing import Choice, Chooser, Option, Seen, asked_of
from engine.governor.readings import Readings
from engine.ids import NodeId, is_publishers
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.supervisor.budget import working_memory
from engine.inference.supervisor.devices import Device, memory_speed
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.types import ModelInfo
from engine.library.candidates import foreseen_variants
from engine.library.catalogue import CatalogueModel
from engine.library.fit import DEFAULT_CONTEXT, PROGRAM, SHARE, Machine, recommended
from engine.library.known import known_models
from engine.library.machine import look
from engine.sentences import say

if TYPE_CHECKING:
    from engine.node.node import Node

AUTOMATIC = "automatic"
"""What the setting ``contribute`` says where the engine is to choose."""
LOOK_SECONDS = 5.0
FILES = 1.1
"""Memory of a loaded model beside its files, as ``ModelInfo.memory`` counts it."""
GPU_SHARE = 0.9
PROCESSOR_SHARE = 0.5
"""Of a device's memory that a model for others may take; half of the main memory is left to the owner."""
Usable = Sequence[tuple[Device, DeviceLimit]]
"""Devices that a model would be loaded on, with what it may take there."""
logger = logging.getLogger(__name__)


class AutomaticModel:
    """``run()`` until cancelled. While the owner has not chosen, looks around every few seconds."""

    def __init__(self, node: Node, data_directory: Path, clock: Clock) -> None:
        self._node = node
        self._data_directory = data_directory
        self._clock = clock
        self._chooser = Chooser(random.SystemRandom().random)
        self._choice = Choice("", "")
        self._machine: Machine | None = None
        self._speeds: Mapping[str, float] = {}
        self._catalogue: tuple[CatalogueModel, ...] = ()
        self._rates: dict[str, float] = {}

    @property
    def model(self) -> str:
        """What the owner's switch serves. Until something else is chosen the built-in model helps out."""
        if self._owners:
            return self._owners
        return self._node.remote.model_id if self._node.remote is not None else self._choice.model or BUILTIN_MODEL

    @property
    def choice(self) -> Choice | None:
        """What the engine has chosen, and why; None: it has not, or is not to."""
        return self._choice if self._chooses and self._choice.reason else None

    @property
    def _owners(self) -> str:
        configured = self._node.configuration.contribute
        return self._node.governing.rules.model or ("" if configured == AUTOMATIC else configured)

    @property
    def _chooses(self) -> bool:
        return not self._owners and self._node.remote is None

    def gone(self, model: str) -> None:
        """It is not here any more."""
        if self._choice.model.partition(":")[0] == model:
            self._choice = Choice("", "")
            if self._chooses:
                self.look()

    async def run(self) -> None:
        """Look around until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._chooses and self._node.contribute_wanted:
                await self._measure()
                self.look()

    async def _measure(self) -> None:
        """Once: how fast this machine reads its memory takes a second to find out."""
        if self._machine is not None:
            return
        cache = self._data_directory / "models" / ".machine.json"
        devices = self._node.inference.devices
        self._speeds = await asyncio.to_thread(lambda: {one.key: memory_speed(one) for one in devices})
        self._machine = await asyncio.to_thread(look, cache, self._clock.monotonic)
        try:
            self._catalogue = await asyncio.to_thread(known_models, self._data_directory)
        except GenTorrentError as error:
            logger.warning("no model is recommended: %s", error)

    def look(self) -> None:
        """Choose anew, if there is reason to; the node hears of it. While a device rests nothing is chosen: it is back
        in a minute, and what would be taken without it would stay for much longer."""
        node, machine = self._node, self._machine
        here = [one for one in node.inference.models() if self._may_be_shown(one.model_id)]
        if machine is None or not here or node.inference.barred or node.devices.resting:
            return
        usable = node.inference.usable()
        machine = as_used(machine, usable, self._speeds)
        now = self._clock.monotonic()
        if node.keeper.problem and node.serves_now:
            self._chooser.failed(self.model, now)
        options = [*(self._option(one, machine) for one in here), *missing(self._catalogue, here, machine)]
        before, self._choice = (
            self._choice,
            self._chooser.look(
                options,
                self._seen(options),
                room=room(machine, usable, node.governing.readings, _held(here)),
                answering=self._answering(),
                now=now,
            ),
        )
        if self._choice.model and self._choice.model != before.model:
            node.governing.note(say("automatic.event", model=self._choice.model, reason=self._choice.reason))
        if self._choice != before:
            node.governed()

    def _may_be_shown(self, model: str) -> bool:
        """Whether it is a model that others can know; what the owner has put here is nobody's business unasked."""
        if is_publishers(model):
            try:
                self._node.published.check_serving(model)
            except GenTorrentError:
                return False
            return True
        return model in self._node.reviewed  # and no variant of it

    def _option(self, info: ModelInfo, machine: Machine) -> Option:
        rate = info.decode_rate_alone or info.decode_rate
        if rate:
            self._rates[info.model_id] = rate
        size = int(info.memory / FILES)
        measured = self._rates.get(info.model_id, 0.0)
        speed = machine.gpu_read_speed if machine.gpu else machine.read_speed
        expected = SHARE * speed / size if size else 0.0
        return Option(
            model=info.model_id,
            memory=info.memory + PROGRAM if info.memory else 0,
            size=size,
            tokens_per_s=measured or expected,
            measured=bool(measured),
        )

    def _answering(self) -> bool:
        """Others or the owner: another model would take the memory of the one that answers."""
        serving = self._node.peer.serving if self._node.peer is not None else None
        return (serving is not None and serving.answering > 0) or self._node.answers.running > 0

    def _seen(self, options: Sequence[Option]) -> Mapping[str, Seen]:
        """By the directory, and of the group that this machine is in by what its members say now."""
        node = self._node
        presence = node.peer or node.client
        directory = presence.bootstrap.directory if presence is not None else None
        myself = node.keys.identity.node_id
        seen = {one.model: seen_in(directory, one.model, myself) for one in options} if directory is not None else {}
        group = node.peer.group if node.peer is not None else None
        for info in group.models() if group is not None else ():
            view = group.view(info.digest) if group is not None else None
            if view is not None:
                others = seen[info.model_id].others if info.model_id in seen else 0
                seen[info.model_id] = seen_among(view.members, others)
        return seen


def missing(catalogue: Sequence[CatalogueModel], here: Sequence[ModelInfo], machine: Machine) -> list[Option]:
    """Models of the catalogue that would have to be downloaded, those whose sizes are known."""
    names = {one.model_id for one in here}
    found = []
    for entry in catalogue:
        best = recommended(foreseen_variants(entry), entry.kv, DEFAULT_CONTEXT, machine)
        if entry.id not in names and best is not None and best.memory:
            found.append(
                Option(
                    model=entry.id,
                    here=False,
                    memory=best.memory,
                    size=best.weights,
                    tokens_per_s=best.tokens_per_s,
                )
            )
    return found


def seen_in(directory: Directory, model: str, myself: NodeId) -> Seen:
    """What the directory tells: how many serve a model, and who held keys of running answers when it spoke last."""
    served = [
        one
        for node in directory.model_nodes(model)
        if node.node_id != myself
        for one in node.descriptor.models
        if one.model_id == model
    ]
    busy = sum(one.kv_tokens_free < one.kv_tokens_total for one in served)
    return Seen(len(served), asked_of(busy / len(served)) if served else 0.0)


def seen_among(members: Sequence[Member], listed: int) -> Seen:
    """What the members of the own group say, oneself among them; ``listed``: others in the directory."""
    asked = sum(one.load.running + one.load.waiting for one in members)
    return Seen(max(len(members) - 1, listed), asked / max(len(members), 1))


def room(machine: Machine, usable: Usable, readings: Readings | None, held: int) -> int:
    """Bytes that a model may take where it would be loaded: on each of these devices, so the smallest counts. ``held``:
    of the main memory the workers hold so much already."""
    taken = {one.device: one.others_memory or 0 for one in (readings.devices if readings is not None else ())}
    rooms = []
    for device, limit in usable:
        if device.kind == "cuda":
            free = int((device.memory or machine.gpu_memory) * GPU_SHARE) - taken.get(device.key, 0)
        else:
            free = min(int(machine.memory * PROCESSOR_SHARE), int(psutil.virtual_memory().available) + held)
        if limit.memory is not None:
            free = min(free, limit.memory - max(0, working_memory(device) - PROGRAM))
        rooms.append(free)
    return max(0, min(rooms, default=0))


def as_used(machine: Machine, usable: Usable, speeds: Mapping[str, float]) -> Machine:
    """The machine without graphics cards that may not be used for models now. Of several the smallest counts, as a
    model is loaded on each. ``speeds``: how fast devices read their memory."""
    cards = [device for device, _ in usable if device.kind == "cuda"]
    if not cards:
        return replace(machine, gpu="", gpu_memory=0, gpu_read_speed=0.0)
    card = min(cards, key=lambda one: one.memory)
    memory = card.memory or machine.gpu_memory
    return replace(machine, gpu=card.name, gpu_memory=memory, gpu_read_speed=speeds.get(card.key, 0.0))


def _held(models: Sequence[ModelInfo]) -> int:
    return sum(one.memory for one in models if one.provider)
