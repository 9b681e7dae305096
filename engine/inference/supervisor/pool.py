"""All workers of this machine as one back end: one for each GPU, and the processor when no GPU can be used.

A device that fails is left alone for a while and its answers go on elsewhere: on the other GPUs if there are any, else
on the processor. After ``first_retry`` seconds (twice as long after every further failure) a new question tries it
again; so does the first one after the owner's stop, or after a restart of the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import msgspec

from engine.clock import Clock
from engine.errors import (
    ConfigurationError,
    DeviceBarredError,
    GenTorrentError,
    NoRoomError,
    ProviderFailedError,
    WorkerDiedError,
)
from engine.inference.models.installed import Catalogue
from engine.inference.supervisor.budget import RESERVE
from engine.inference.supervisor.devices import Device, free_memory
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.supervisor.resuming import ResumableAnswer
from engine.inference.supervisor.settings import InferenceSettings, WorkerState
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import (
    CacheNews,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptShape,
    Started,
    TokenScores,
)
from engine.sentences import said_again, said_by, say, together

_log = logging.getLogger(__name__)
_HOMES = 4096
"""Conversations whose device is remembered, because their cached prompts lie there."""
_CPU = "CPUExecutionProvider"
WEIGHTS_SHARE = 0.8
"""Of a GPU's memory that a model's weights may take; the rest is for its caches."""
_ORDER = ("ready", "starting", "restarting", "failed", "stopped")


class _Member:
    """A device with its supervisor. ``retry_at``: when it may be tried again after a failure; ``reason`` of it."""

    def __init__(self, supervisor: InferenceSupervisor) -> None:
        self.supervisor = supervisor
        self.failures = 0
        self.retry_at = 0.0
        self.reason = ""
        self.limit = DeviceLimit()
        self.no_room: set[str] = set()  # models that do not fit into what may be used of it

    @property
    def device(self) -> Device:
        return self.supervisor.device


def _same_model(member: _Member, answer: ResumableAnswer) -> None:
    model_id = answer.request.model_id
    info = next((one for one in member.supervisor.models() if one.model_id == model_id), None)
    if info is not None:
        answer.same_model(info.digest)


class WorkerPool:
    """An ``InferenceBackend``. :meth:`run` must be running; workers start on need. The last of the settings' devices,
    the processor, is used when none of the others can be."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        settings: InferenceSettings | None = None,
        on_state: Callable[[WorkerState], None] = lambda state: None,
        on_cache: Callable[[Device, CacheNews], None] = lambda device, news: None,
        on_load: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_cache`` hears what comes and goes in the public part of each device's prefix caches, ``on_load`` that
        :meth:`models` may say something else of how busy they are. They are called in the event loop and must return at
        once."""
        self._catalogue = catalogue
        self._clock = clock
        self._settings = settings or InferenceSettings()
        self._on_state = on_state
        self._on_load = on_load
        self.state = WorkerState("stopped")
        self._members = [self._member(device, on_cache) for device in self._settings.devices]
        self._homes: OrderedDict[tuple[str, bytes], _Member] = OrderedDict()
        self._kv_bytes = self._settings.kv_bytes
        self._gpu_has_worked = False
        self._stale = False  # other variants may be the best

    def _member(self, device: Device, on_cache: Callable[[Device, CacheNews], None]) -> _Member:
        def changed(_: WorkerState) -> None:
            self._show()

        def news(told: CacheNews) -> None:
            on_cache(device, told)

        supervisor = InferenceSupervisor(
            self._catalogue, self._clock, self._settings, changed, news, device, self._on_load
        )
        return _Member(supervisor)

    # ------------------------------------------------------------------------------------------------ what there is

    def models(self) -> list[ModelInfo]:
        """The models that are loaded or can be loaded at once. Those of several workers are told as one, with all their
        slots together."""
        first = {info.model_id: info for member in self._usable()[:1] for info in member.supervisor.models()}
        return [self._together(info) for info in first.values()]

    def room(self) -> int:
        """Bytes that one more model may take where it would be loaded now: what is free there, less what stays free for
        others; 0 where nobody can tell."""
        usable = self._usable()
        free = free_memory(usable[0].device) if usable else None
        return 0 if free is None else max(1, free - RESERVE)

    def worker_pids(self) -> set[int]:
        """The process numbers of all workers that run."""
        return {pid for one in self._members if (pid := one.supervisor.worker_pid()) is not None}

    def worker_pid(self) -> int | None:
        """The process number of the first worker that runs."""
        return next((pid for one in self._members if (pid := one.supervisor.worker_pid()) is not None), None)

    @property
    def restarts(self) -> int:
        """Workers that ended by themselves."""
        return sum(one.supervisor.restarts for one in self._members)

    def unused(self) -> str:
        """Which devices are not used, and why; "" when none is left out."""
        return together(*(reason for one in self._members if (reason := one.limit.barred or one.reason)))

    @property
    def devices(self) -> tuple[Device, ...]:
        """All that could compute here; the processor is the last."""
        return tuple(one.device for one in self._members)

    def answering(self, key: str) -> int:
        """Answers that the device with this key makes, or has waiting."""
        return sum(one.supervisor.answering for one in self._members if one.device.key == key)

    def usable(self) -> tuple[tuple[Device, DeviceLimit], ...]:
        """Where a model would be loaded now, with what it may take there: on all GPUs that can be used, else on the
        processor."""
        return tuple((one.device, one.limit) for one in self._usable())

    @property
    def barred(self) -> str:
        """Why nobody but the owner is to be answered here: what would compute may not be used. "" if that is not so."""
        return self._usable()[0].limit.barred

    def _together(self, otherwise: ModelInfo) -> ModelInfo:
        infos = [
            info
            for member in self._members
            if member.supervisor.loaded(otherwise.model_id)
            for info in member.supervisor.models()
            if info.model_id == otherwise.model_id
        ]
        gpus = [info for info in infos if info.provider != _CPU]  # the processor only makes its last answers then
        loaded = gpus or infos or [otherwise]
        reason = said_again(loaded[0].provider_reason, loaded[0].provider_words)
        if reason and (unused := self.unused()):
            reason = say("worker.and_unused", reason=reason, unused=unused)
        return msgspec.structs.replace(
            loaded[0],
            context_length=min(info.context_length for info in loaded),
            slots=sum(info.slots for info in loaded),
            decode_rate=sum(info.decode_rate for info in loaded),
            kv_tokens_total=sum(info.kv_tokens_total for info in loaded),
            kv_tokens_free=sum(info.kv_tokens_free for info in loaded),
            kv_tokens_cached=sum(info.kv_tokens_cached for info in loaded),
            queue_tokens=sum(info.queue_tokens for info in loaded) // len(loaded),  # each reads its own queue
            waiting=sum(info.waiting for info in loaded),
            running=sum(info.running for info in loaded),
            output_tokens=sum(info.output_tokens for info in loaded),
            context_tokens=sum(info.context_tokens for info in loaded),
            first_token_seconds=max(info.first_token_seconds for info in loaded),
            provider_reason=reason,
        )

    # ------------------------------------------------------------------------------------------------ what it does

    async def run(self) -> None:
        """Read the folders, then keep the workers running while models are wanted; ends by cancellation only."""
        await self.refresh()
        async with asyncio.TaskGroup() as tasks:
            for member in self._members:
                tasks.create_task(member.supervisor.run())

    async def refresh(self) -> None:
        """Read the model folders again, after a download or a removal."""
        folders = await asyncio.to_thread(self._catalogue.usable)
        for member in self._members:
            member.supervisor.use(folders)

    async def start(self, models: Iterable[str]) -> None:
        """Load ``models`` on every GPU, or on the processor if none can be used, and wait until they answer there."""
        wanted = list(models)
        while True:
            await self._choose_variants()
            members = self._usable(*wanted)
            errors: list[GenTorrentError] = []
            async with asyncio.TaskGroup() as tasks:
                for member in members:
                    tasks.create_task(self._start(member, wanted, errors))
            if len(errors) < len(members):
                return
            for error in errors:
                if not isinstance(error, ProviderFailedError):
                    raise error

    async def _start(self, member: _Member, models: list[str], errors: list[GenTorrentError]) -> None:
        try:
            await member.supervisor.start(models)
            self._works(member)
        except ProviderFailedError as error:
            self._failed(member, error, *models)
            errors.append(error)
        except GenTorrentError as error:
            errors.append(error)

    async def stop(self) -> None:
        """Give all memory back now: kills the workers; running answers fail. The next request starts them again."""
        async with asyncio.TaskGroup() as tasks:
            for member in self._members:
                member.failures, member.retry_at, member.reason = 0, 0.0, ""
                tasks.create_task(member.supervisor.stop())
        self._show()

    def limit(self, limits: Mapping[str, DeviceLimit]) -> None:
        """From now on this holds for the devices with these keys, and nothing for others. What a device was making goes
        on elsewhere when it is barred; the processor still serves its owner then."""
        last = self._members[-1]
        for member in self._members:
            before, member.limit = member.limit, limits.get(member.device.key, DeviceLimit())
            if member.limit == before:
                continue
            member.no_room.clear()
            allowed = replace(member.limit, barred="") if member is last else member.limit
            member.supervisor.limit(allowed)
        self._fit_catalogue()
        self._show()

    def _fit_catalogue(self) -> None:
        """The best variant of a model is one that fits into the least of what the GPUs may give."""
        shares = [
            int(min(one.device.memory, one.limit.memory or one.device.memory) * WEIGHTS_SHARE)
            for one in self._members
            if one.device.kind == "cuda" and not one.limit.barred
        ]
        memory = min(shares, default=self._catalogue.memory)
        if memory != self._catalogue.memory and all(shares):
            self._catalogue.memory = memory
            self._stale = True

    def set_memory_budget(self, kv_bytes: int) -> None:
        """See ``InferenceSupervisor.set_memory_budget``; for each worker."""
        before, changed = self._kv_bytes, []
        try:
            for member in self._members:
                member.supervisor.set_memory_budget(kv_bytes)
                changed.append(member)
        except ConfigurationError:
            for member in changed:
                member.supervisor.set_memory_budget(before)
            raise
        self._kv_bytes = kv_bytes

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """See ``InferenceBackend.generate``. An answer outlives its worker and its device."""
        answer = ResumableAnswer(0, request)
        while True:
            await self._choose_variants()
            member = self._soonest(request)
            _same_model(member, answer)
            try:
                async with aclosing(member.supervisor.generate(answer.remaining())) as events:
                    async for event in events:
                        if isinstance(event, Started | Done):
                            self._works(member)
                            _same_model(member, answer)  # of the first one the folders may not have been read before
                        told = answer.take(event)
                        if told is not None:
                            yield told
                await self._rest()
                return
            except ProviderFailedError as error:
                self._failed(member, error, request.model_id)
                answer.deaths += 1

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """See ``InferenceBackend.describe``; the worker that has least to do is asked."""
        able = [one.supervisor for one in self._usable(request.model_id) if one.supervisor.loaded(request.model_id)]
        if not able:
            return None
        return await min(able, key=lambda one: one.answering).describe(request)

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """See ``InferenceBackend.score``; another device takes over when one fails."""
        while True:
            await self._choose_variants()
            members = self._usable(request.model_id)
            able = [one for one in members if one.supervisor.loaded(request.model_id)] or members
            member = min(able, key=lambda one: one.supervisor.answering)
            try:
                scores = await member.supervisor.score(request, output_ids)
                self._works(member)
                await self._rest()
                return scores
            except ProviderFailedError as error:
                self._failed(member, error, request.model_id)

    # ------------------------------------------------------------------------------------------------ which device

    def _usable(self, *models: str) -> list[_Member]:
        """The GPUs that can be used (for all of ``models``); else the last device, the processor."""
        now = self._clock.monotonic()
        able = [
            one
            for one in self._members[:-1]
            if now >= one.retry_at and not one.limit.barred and one.no_room.isdisjoint(models)
        ]
        cuda = [one for one in able if one.device.kind == "cuda"]
        return cuda or able[:1] or self._members[-1:]

    def _soonest(self, request: GenerationRequest) -> _Member:
        """Where a request is served soonest: a worker with the model and a free place, best the one that has this
        conversation in its cache; then one that is idle; then the one with the shortest line."""
        key = (request.model_id, request.cache_salt)
        home = self._homes.get(key)

        def cost(member: _Member) -> tuple[int, bool, int]:
            supervisor = member.supervisor
            slots = next((one.slots for one in supervisor.models() if one.model_id == request.model_id), 1)
            waiting = max(0, supervisor.answering + 1 - slots)
            if not supervisor.loaded(request.model_id):
                waiting += 1
            return waiting, member is not home, supervisor.answering

        chosen = min(self._usable(request.model_id), key=cost)
        if request.cache_salt:
            self._homes[key] = chosen
            self._homes.move_to_end(key)
            if len(self._homes) > _HOMES:
                self._homes.popitem(last=False)
        return chosen

    def _failed(self, member: _Member, error: ProviderFailedError, *models: str) -> None:
        """The device failed, or may not be used for ``models``; whoever else was on it says the same, once is
        enough."""
        now = self._clock.monotonic()
        if isinstance(error, NoRoomError):
            if member.no_room.isdisjoint(models):
                _log.warning("%s", error)
            member.no_room |= {*models}
            return
        if isinstance(error, DeviceBarredError):
            return
        if member is self._members[-1]:
            raise WorkerDiedError(said_by(error)) from error
        if now < member.retry_at:
            return
        wait = min(self._settings.first_retry * 2**member.failures, self._settings.longest_retry)
        member.failures = min(member.failures + 1, 32)
        member.retry_at = now + wait
        member.reason = said_by(error)
        _log.warning("%s It is tried again in %.0f s.", error, wait)
        self._show()

    def _works(self, member: _Member) -> None:
        if member.device.kind != "cpu":
            self._gpu_has_worked = True
            if member.reason:
                member.failures, member.reason = 0, ""
                self._show()

    async def _rest(self) -> None:
        """Once GPUs work again the processor's worker gives its memory back, when its last answer is made."""
        standby = self._members[-1].supervisor
        working = [one for one in self._usable() if one is not self._members[-1] and not one.reason]
        if working and not standby.answering and standby.worker_pid() is not None:
            await standby.stop()

    async def _choose_variants(self) -> None:
        """Where no GPU ever worked the variants for a processor are the best. Once one has, its variants stay, so that
        the processor can go on with what it began."""
        if self._stale:
            self._stale = False
            await self.refresh()
        if self._catalogue.provider == "cpu" or self._gpu_has_worked or self._usable() != self._members[-1:]:
            return
        self._catalogue.provider = "cpu"
        await self.refresh()

    def _show(self) -> None:
        # A GPU that failed is not the end: the processor stands by.
        states = [one.supervisor.state for one in self._members[:-1] if one.supervisor.state.name != "failed"]
        states.append(self._members[-1].supervisor.state)
        state = min(states, key=lambda one: _ORDER.index(one.name))
        unused = self.unused()
        if unused:
            state = WorkerState(state.name, together(state.reason, unused))
        if state != self.state:
            self.state = state
            self._on_state(state)
