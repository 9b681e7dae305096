"""Keeps one inference worker alive and hands requests to it: the models of one device of this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from itertools import count

from engine.clock import Clock
from engine.errors import (
    DeviceBarredError,
    GenTorrentError,
    InferenceError,
    InvalidRequestError,
    NoRoomError,
    OverloadedError,
    ProviderFailedError,
    WorkerDiedError,
    request_error,
)
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import Catalogue
from engine.inference.pipe import (
    AnswerFailed,
    Beat,
    CacheChanged,
    CancelAnswer,
    Described,
    Event,
    FromWorker,
    Generate,
    Loaded,
    LoadFailed,
    Scored,
    SetBudget,
    SetPace,
    ToWorker,
    Unload,
)
from engine.inference.request_limits import check_limits
from engine.inference.supervisor.budget import Budget
from engine.inference.supervisor.changes import Changes
from engine.inference.supervisor.describing import Questions
from engine.inference.supervisor.devices import PROCESSOR, Device, free_memory
from engine.inference.supervisor.ending import Ending
from engine.inference.supervisor.life import WorkerLife
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.supervisor.loading import described, load_message, without_work
from engine.inference.supervisor.resuming import ResumableAnswer, Turns, worker_died
from engine.inference.supervisor.scoring import MAX_DEATHS, Scores, check_output, gave_up
from engine.inference.supervisor.settings import InferenceSettings, WorkerState
from engine.inference.supervisor.wanted import WantedModels
from engine.inference.types import (
    CacheNews,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptShape,
    TokenScores,
)
from engine.sentences import said_again, said_by, say

_log = logging.getLogger(__name__)
STOPPED = say("worker.stopped")
STOPPING = say("worker.stopping")


class WorkerCrashedError(WorkerDiedError):
    """A worker ended by itself; the next one can go on with the answer."""


class InferenceSupervisor:
    """An ``InferenceBackend`` on one worker process. :meth:`run` must be running; the process starts on need."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        settings: InferenceSettings | None = None,
        on_state: Callable[[WorkerState], None] = lambda state: None,
        on_cache: Callable[[CacheNews], None] = lambda news: None,
        device: Device = PROCESSOR,
        on_load: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_cache`` hears what comes and goes in the public part of the prefix caches; a worker that begins or ends
        is told as a reset. ``on_load`` hears that :meth:`models` may say something else of how busy they are. Both are
        called in the event loop and must return at once."""
        self._catalogue = catalogue
        self._clock = clock
        self._settings = settings or InferenceSettings()
        self._on_state = on_state
        self._on_cache = on_cache
        self._on_load = on_load
        self.device = device
        self.state = WorkerState("stopped")
        self.restarts = 0  # workers that ended by themselves
        self._folders: dict[str, ModelFolder] | None = None
        self._infos: dict[str, ModelInfo] = {}
        self._changes = Changes()
        self._wanted = WantedModels()
        self._answers: dict[int, ResumableAnswer] = {}
        self._turns = Turns(self._answers.values(), self._changes)
        self._numbers = count(1)
        self._questions = Questions(self._tell)
        self._scores = Scores(self._tell)
        self._budget = Budget(self._settings.kv_bytes, device, free_memory)
        self._limit = DeviceLimit()
        self._life: WorkerLife | None = None
        self._reason: InferenceError = WorkerDiedError(STOPPED)  # why nothing is wanted
        self._failure = ""  # why the worker was given up, until it is wanted again

    # ------------------------------------------------------------------------------------------------ for users

    def models(self) -> list[ModelInfo]:
        """The models that are loaded or can be loaded at once; empty until the folders have been read."""
        return list(self._infos.values())

    def loaded(self, model_id: str) -> bool:
        """Whether the worker has this model now."""
        return self._wanted.is_loaded(model_id)

    def worker_pid(self) -> int | None:
        """The worker's process number while there is one."""
        return self._life.pid if self._life is not None else None

    @property
    def answering(self) -> int:
        """Answers that are being made, or wait, or are being checked."""
        return len(self._answers) + self._scores.waiting

    async def refresh(self) -> None:
        """Read the model folders again, after a download or a removal."""
        self.use(await asyncio.to_thread(self._catalogue.usable))

    def use(self, folders: dict[str, ModelFolder]) -> None:
        """These are the models from now on; a loaded one that has changed is loaded anew."""
        self._infos = {
            name: self._infos.get(name) or described(folder, self._settings.slots) for name, folder in folders.items()
        }
        for name, folder in folders.items():
            if self._infos[name].digest != folder.digest:
                self._infos[name] = described(folder, self._settings.slots)
        before, self._folders = self._folders or {}, folders
        for model_id in self._wanted:
            if model_id not in folders or before[model_id].digest != folders[model_id].digest:
                self._reload(model_id)
        self._changes.notify()

    async def start(self, models: Iterable[str]) -> None:
        """Load ``models`` and wait until they answer; raises what :meth:`generate` raises before its first event."""
        for model_id in list(models):
            await self._ready(model_id)

    async def stop(self) -> None:
        """Give all memory back now: kills the worker; running answers fail. The next request starts it again."""
        self._give_up(WorkerDiedError(STOPPED))
        life = self._life
        if life is None:
            self._show(WorkerState("stopped"))
            return
        life.kill(Ending("stopped", "it was stopped"))
        while self._life is life:
            await self._changes.wait()

    def set_memory_budget(self, kv_bytes: int) -> None:
        """From now on the caches of all models of this worker may take so many bytes together (0: chosen from the free
        memory when a worker starts). Answers that cannot fit any more end with an error.

        :class:`ConfigurationError` when a loaded model could not hold one sequence.
        """
        self._budget.set(kv_bytes, [self._folder(model_id) for model_id in self._wanted])
        self._tell_budgets()

    def limit(self, limit: DeviceLimit) -> None:
        """From now on this holds. Where the worker has more than it allows, or may not be used at all, it ends at once,
        and its answers fail with :class:`ProviderFailedError`: other devices may go on with them."""
        before, self._limit = self._limit, limit
        if limit.barred and not before.barred:
            self._end(DeviceBarredError(say("worker.barred", device=self.device.name, reason=limit.barred)))
        if limit.memory != before.memory:
            folders = [self._folder(model_id) for model_id in self._wanted]
            self._budget.limit(limit.memory, folders)
            if refusal := self._budget.refusal(folders):
                self._end(self._no_room(refusal))
            self._tell_budgets()
        if (limit.pace, limit.owners_pace) != (before.pace, before.owners_pace):
            self._tell(SetPace(limit.pace, limit.owners_pace))

    def _end(self, error: InferenceError) -> None:
        self._give_up(error)
        if self._life is not None:
            self._life.kill(Ending("stopped", "it was stopped"))

    def _no_room(self, refusal: str) -> InferenceError:
        """On the processor, which is the last, there is nowhere else to go."""
        return InferenceError(refusal) if self.device.kind == "cpu" else NoRoomError(refusal)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """See ``InferenceBackend.generate``. When a worker dies, the next one goes on with the answer;
        :class:`ProviderFailedError` when the device itself failed."""
        check_limits(request)
        if len(self._answers) >= self._settings.max_requests:
            raise OverloadedError(f"{len(self._answers)} answers are being made here already. Try again later.")
        number = next(self._numbers)
        answer = self._answers[number] = ResumableAnswer(number, request)
        try:
            while True:
                try:
                    async with aclosing(self._attempt(answer)) as attempt:
                        async for event in attempt:
                            yield event
                    return
                except WorkerCrashedError as crash:
                    if answer.hopeless:
                        raise WorkerDiedError(
                            say("worker.gave_up", crash=said_by(crash), times=answer.deaths)
                        ) from crash
        finally:
            del self._answers[number]
            self._changes.notify()

    async def _attempt(self, answer: ResumableAnswer) -> AsyncGenerator[GenerationEvent, None]:
        """What one worker makes of the answer; :class:`WorkerCrashedError` when it dies."""
        model_id = answer.request.model_id
        while True:
            await self._ready(model_id, answer)
            async with self._turns.turn(answer):
                # From here to the asking nothing waits. Meanwhile a worker may have died, or the answer been stopped.
                if answer.stopped is not None or not self._wanted.is_loaded(model_id):
                    continue
                answer.same_model(self._infos[model_id].digest)
                try:
                    self._request(answer)
                    while True:
                        event = await answer.mailbox.next()
                        told = answer.take(event)
                        if told is not None:
                            yield told
                        if isinstance(event, Done):
                            return
                finally:
                    if answer.mailbox.sent and not answer.mailbox.complete:
                        self._cancel(answer.number)
                    answer.renew()

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """See ``InferenceBackend.describe``."""
        return await self._questions.describe(request) if self._wanted.is_loaded(request.model_id) else None

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """See ``InferenceBackend.score``; :class:`ProviderFailedError` when the device itself failed."""
        check_limits(request)
        ids = tuple(output_ids)
        check_output(ids)
        async with self._scores.turn():
            deaths = 0
            while True:
                await self._ready(request.model_id)
                try:
                    return await self._scores.ask(next(self._numbers), request, ids)
                except WorkerCrashedError as crash:
                    deaths += 1
                    if deaths == MAX_DEATHS:
                        raise gave_up(crash) from crash

    # --------------------------------------------------------------------------------------------------- its life

    async def run(self) -> None:
        """Read the folders, then keep the worker running while models are wanted; ends by cancellation only."""
        backoff = self._settings.first_backoff
        try:
            if self._folders is None:
                await self.refresh()
            while True:
                while not self._wanted:
                    self._show(WorkerState("failed", self._failure) if self._failure else WorkerState("stopped"))
                    await self._changes.wait()
                begun = self._clock.monotonic()
                ending = await self._live()
                if ending.kind == "stopped":
                    backoff = self._settings.first_backoff
                    continue
                self.restarts += 1
                _log.warning("the inference worker ended: %s", ending.text)
                if not self._wanted:
                    continue
                if self._clock.monotonic() - begun >= self._settings.healthy_after:
                    backoff = self._settings.first_backoff
                self._show(WorkerState("restarting", ending.text))
                await self._pause(backoff)
                backoff = min(2 * backoff, self._settings.longest_backoff)
        finally:
            self._give_up(WorkerDiedError(STOPPING))
            self._show(WorkerState("stopped"))

    async def _pause(self, seconds: float) -> None:
        """Wait before the next start, unless nobody wants one any more."""
        try:
            async with asyncio.timeout(seconds):
                while self._wanted:
                    await self._changes.wait()
        except TimeoutError:
            return

    async def _live(self) -> Ending:
        """One worker from start to end; why it ended."""
        self._show(WorkerState("starting"))
        life = WorkerLife(self._settings, self._clock, self._message)
        ending: Ending | None = None
        try:
            ending = life.start(self.device)
            if ending is None:
                self._life = life
                self._budget.worker_starts([self._folder(model_id) for model_id in self._wanted])
                self._tell(SetPace(self._limit.pace, self._limit.owners_pace))
                for model_id in self._wanted:
                    self._load(model_id)
                ending = await life.watch()
            return ending
        finally:
            self._ended(ending or Ending("stopped", "the engine is stopping"))
            try:
                await life.close()
            finally:
                self._life = None
                self._changes.notify()

    def _ended(self, ending: Ending) -> None:
        """The worker is gone. Its answers go on with the next one, or elsewhere if the device is to blame."""
        if ending.kind != "stopped":
            device = self.device.kind != "cpu" and ending.kind == "provider"
            answers = [one for one in self._answers.values() if one.mailbox.sent and not one.mailbox.complete]
            # A score under way is as suspect as any answer, and it is not tried a third time.
            innocent = device or self._wanted.loading is not None or self._scores.running
            worker_died(answers, innocent=innocent)
            given_up = self._wanted.worker_died(ending.text)
            if device or (given_up and self.device.kind != "cpu"):
                self._give_up(ProviderFailedError(say("worker.unused", device=self.device.name, reason=ending.text)))
            if given_up or device:
                self._failure = ending.text
            crash = say("worker.crashed", reason=ending.text)
            for answer in answers:
                answer.mailbox.fail(WorkerCrashedError(crash))
            self._scores.worker_died(WorkerCrashedError(crash))
        for model_id in self._wanted.worker_ended():
            self._on_cache(CacheNews(model_id, (), reset=True))
        self._questions.worker_ended()
        self._infos = {model_id: without_work(info) for model_id, info in self._infos.items()}

    def _give_up(self, error: InferenceError) -> None:
        """Nothing is wanted any more, and whoever waits hears why."""
        self._wanted.clear()
        for answer in self._answers.values():
            answer.stop(error)
        self._scores.stop(error)
        self._reason = error
        self._changes.notify()

    # ------------------------------------------------------------------------------------------- what it is told

    async def _ready(self, model_id: str, answer: ResumableAnswer | None = None) -> None:
        """Wait until ``model_id`` is loaded, or ``answer`` is stopped, which raises its reason."""
        try:
            async with asyncio.timeout(self._settings.ready_timeout):
                while self._folders is None:
                    await self._changes.wait()
                if model_id not in self._folders:
                    raise await asyncio.to_thread(self._catalogue.why_not, model_id)
                wanted = False
                while not self._wanted.is_loaded(model_id) or not wanted:
                    if answer is not None and answer.stopped is not None:
                        raise answer.stopped
                    if not wanted:  # only now: an answer that was stopped starts nothing
                        wanted = True
                        self._want(model_id)
                    elif model_id not in self._wanted:
                        raise self._wanted.error(model_id) or self._reason
                    else:
                        await self._changes.wait()
        except TimeoutError:
            raise WorkerDiedError(
                say("load.late", model=model_id, seconds=round(self._settings.ready_timeout))
            ) from None

    def _want(self, model_id: str) -> None:
        if model_id not in self._wanted:
            folders = [self._folder(name) for name in (*self._wanted, model_id)]
            if refusal := self._budget.refusal(folders):
                raise self._no_room(say("load.no_room", model=model_id, reason=refusal))
            self._budget.loads(folders)
        if self._wanted.want(model_id):
            self._failure = ""
            if self._life is not None:
                self._load(model_id)
                self._tell_budgets()
            self._changes.notify()

    def _folder(self, model_id: str) -> ModelFolder:
        return (self._folders or {})[model_id]

    def _load(self, model_id: str) -> None:
        share = self._budget.share(len(self._wanted))
        self._tell(load_message(self._folder(model_id), self._settings, self.device, share))

    def _reload(self, model_id: str) -> None:
        """Its files have changed or are gone; running answers end, for another model cannot go on with them."""
        self._tell(Unload(model_id))
        self._wanted.unloaded(model_id)
        if self._folders is not None and model_id in self._folders:
            self._load(model_id)
        else:
            self._wanted.forget(model_id)

    def _tell_budgets(self) -> None:
        self._budget.loads([self._folder(model_id) for model_id in self._wanted])
        for model_id in self._wanted:
            self._tell(SetBudget(model_id, self._budget.share(len(self._wanted))))

    def _request(self, answer: ResumableAnswer) -> None:
        try:
            self._tell(Generate(answer.number, answer.remaining()))
        except InferenceError as error:
            raise InvalidRequestError(f"The conversation is too long: {error}. Shorten it.") from error
        answer.mailbox.sent = answer.suspect = True

    def _cancel(self, number: int) -> None:
        try:
            self._tell(CancelAnswer(number))
        except GenTorrentError as error:
            _log.warning("an answer could not be cancelled: %s", error)

    def _tell(self, message: ToWorker) -> None:
        if self._life is not None:
            self._life.send(message)

    # --------------------------------------------------------------------------------------------- what it says

    def _message(self, message: FromWorker) -> None:
        if isinstance(message, Event):
            if (answer := self._answers.get(message.key)) is not None:
                answer.heard(message.event)
                if not answer.suspect:
                    self._turns.moved(answer)
        elif isinstance(message, AnswerFailed):
            error = request_error(message.code, message.text, message.parameter)
            self._scores.failed(message.key, error)
            if (answer := self._answers.get(message.key)) is not None:
                answer.failed(error)
        elif isinstance(message, Scored):
            self._scores.scored(message)
        elif isinstance(message, Described):
            self._questions.answered(message)
        elif isinstance(message, Beat):
            self._measured(message.models)
        elif isinstance(message, Loaded):
            self._wanted.loaded(message.info.model_id)
            self._measured((message.info,))
            self._on_cache(CacheNews(message.info.model_id, (), reset=True))
            self._show_progress()
        elif isinstance(message, LoadFailed):
            _log.warning("the model %s cannot be loaded: %s", message.model_id, message.text)
            self._wanted.failed(message.model_id, said_again(message.text, message.words))
            self._tell_budgets()
            self._show_progress()
        elif isinstance(message, CacheChanged):
            self._on_cache(message.news)

    def _show_progress(self) -> None:
        if self._wanted.loading is None:
            self._show(WorkerState("ready"))
        self._changes.notify()

    def _measured(self, infos: tuple[ModelInfo, ...]) -> None:
        for info in infos:
            if info.model_id in self._infos and self._infos[info.model_id].digest == info.digest:
                self._infos[info.model_id] = info
        self._on_load()

    def _show(self, state: WorkerState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
