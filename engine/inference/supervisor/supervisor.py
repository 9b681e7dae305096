"""Keeps the inference worker alive and hands requests to it. The engine's only way to a model on this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from itertools import count

from engine.clock import Clock
from engine.errors import (
    GenTorrentError,
    InferenceError,
    InvalidRequestError,
    OverloadedError,
    UnknownModelError,
    WorkerDiedError,
    request_error,
)
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import Catalogue
from engine.inference.pipe import (
    AnswerFailed,
    Beat,
    CancelAnswer,
    Event,
    FromWorker,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    ToWorker,
)
from engine.inference.supervisor.mailbox import Mailbox
from engine.inference.supervisor.process import WorkerProcess
from engine.inference.supervisor.resuming import MAX_DEATHS, ResumableAnswer, Turns, WorkerCrashedError
from engine.inference.supervisor.settings import InferenceSettings, WorkerState
from engine.inference.types import Done, GenerationEvent, GenerationRequest, ModelInfo

DEATHS_WHILE_LOADING = 3
"""Workers that may die while somebody who has heard nothing yet waits for a model."""
_log = logging.getLogger(__name__)


class InferenceSupervisor:
    """An ``InferenceBackend`` on a worker process. :meth:`run` must be running; the process starts on need."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        settings: InferenceSettings | None = None,
        on_state: Callable[[WorkerState], None] = lambda state: None,
    ) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._settings = settings or InferenceSettings()
        self._on_state = on_state
        self.state = WorkerState("stopped")
        self._folders: dict[str, ModelFolder] | None = None
        self._infos: dict[str, ModelInfo] = {}
        self._wanted: dict[str, None] = {}  # model ids in the order of asking
        self._loaded: set[str] = set()
        self._load_errors: dict[str, str] = {}
        self._mailboxes: dict[int, Mailbox] = {}
        self._answers: dict[int, ResumableAnswer] = {}
        self._turns = Turns()
        self.restarts = 0  # workers that ended by themselves
        self._keys = count(1)
        self._process: WorkerProcess | None = None
        self._ended = asyncio.Event()
        self._end_reason = ""
        self._deaths = 0
        self._suspects = 0  # answers that had not moved when the last worker died
        self._heard = 0.0
        self._beat = Beat("idle", 0.0, ())
        self._changed = asyncio.Event()

    # ------------------------------------------------------------------------------------------------ for users

    def models(self) -> list[ModelInfo]:
        """The models that are loaded or can be loaded at once; empty until the folders have been read."""
        return list(self._infos.values())

    def worker_pid(self) -> int | None:
        """The worker's process number while there is one."""
        return self._process.pid if self._process is not None else None

    async def refresh(self) -> None:
        """Read the model folders again, after a download or a removal."""
        folders = await asyncio.to_thread(self._catalogue.usable)
        self._infos = {name: self._infos.get(name) or self._describe(folder) for name, folder in folders.items()}
        for name, folder in folders.items():
            if self._infos[name].digest != folder.digest:
                self._infos[name] = self._describe(folder)
        self._folders = folders
        self._notify()

    async def start(self, models: Iterable[str]) -> None:
        """Load ``models`` and wait until they answer; :class:`UnknownModelError` or :class:`WorkerDiedError`."""
        for model_id in list(models):
            await self._ready(model_id)

    async def stop(self) -> None:
        """Give all memory back now: kills the worker; running answers fail. The next request starts it again."""
        self._wanted.clear()
        if self._process is not None:
            self._process.kill("it was stopped")
            self._fail_all(
                WorkerDiedError("The model was stopped on this machine in the middle of the answer. Ask again.")
            )
        else:
            self._show(WorkerState("stopped"))
        self._notify()
        while self._process is not None:
            await self._change()

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See ``InferenceBackend.generate``. When a worker dies, the next one goes on with the answer."""
        if len(self._mailboxes) >= self._settings.max_requests:
            raise OverloadedError(f"{len(self._mailboxes)} answers are being made here already. Try again later.")
        key = next(self._keys)
        self._mailboxes[key] = Mailbox()
        answer = self._answers[key] = ResumableAnswer(request)
        try:
            while True:
                attempt = self._attempt(key, answer)
                try:
                    async for event in attempt:
                        yield event
                    return
                except WorkerCrashedError as crash:
                    if not answer.died(alone=crash.alone):
                        raise WorkerDiedError(
                            f"{crash} It ended {answer.deaths} times while it made this answer, so the answer is given "
                            "up. Ask something else, or choose another model."
                        ) from crash
                finally:
                    await attempt.aclose()
        finally:
            self._mailboxes.pop(key, None)
            self._answers.pop(key, None)

    async def _attempt(self, key: int, answer: ResumableAnswer) -> AsyncGenerator[GenerationEvent, None]:
        """What one worker makes of the answer; :class:`WorkerCrashedError` when it dies."""
        async with self._turns.turn() as turn:
            await self._ready(answer.request.model_id, MAX_DEATHS if answer.deaths else DEATHS_WHILE_LOADING)
            mailbox = self._mailboxes[key] = Mailbox()  # a worker that died meanwhile was not this answer's
            try:
                self._request(key, answer.remaining())
                mailbox.sent = answer.resting = True
                while True:
                    event = await mailbox.next()
                    told = answer.take(event)
                    if not answer.resting:
                        turn.end()
                    if told is not None:
                        yield told
                    if isinstance(event, Done):
                        return
            finally:
                answer.resting = False
                if mailbox.sent and not mailbox.complete:
                    self._cancel(key)

    # --------------------------------------------------------------------------------------------------- its life

    async def run(self) -> None:
        """Read the folders, then keep the worker running while models are wanted; ends by cancellation only."""
        backoff = self._settings.first_backoff
        try:
            await self.refresh()
            while True:
                while not self._wanted:
                    self._show(WorkerState("stopped"))
                    await self._change()
                begin = self._clock.monotonic()
                reason = await self._live()
                if not self._wanted:
                    continue
                self.restarts += 1
                _log.warning("the inference worker ended: %s", reason)
                healthy = self._clock.monotonic() - begin >= self._settings.healthy_after
                self._turns.one_at_a_time = not healthy and (self._turns.one_at_a_time or self._suspects > 1)
                if healthy:
                    backoff = self._settings.first_backoff
                self._show(WorkerState("restarting", reason))
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, self._settings.longest_backoff)
        finally:
            self._show(WorkerState("stopped"))

    async def _live(self) -> str:
        """One worker from start to end; why it ended."""
        self._show(WorkerState("starting"))
        self._ended.clear()
        self._heard, self._beat = self._clock.monotonic(), Beat("loading", 0.0, ())
        loop = asyncio.get_running_loop()
        try:
            process = WorkerProcess(self._settings.command, loop, self._message, self._on_end)
        except OSError as error:
            self._deaths += 1
            self._end_reason = f"it cannot be started ({error.strerror})"
            self._notify()
            return self._end_reason
        self._process = process
        try:
            for model_id in self._wanted:
                self._load(model_id)
            while not self._ended.is_set():
                self._watch(process)
                try:
                    async with asyncio.timeout(0.5):
                        await self._ended.wait()
                except TimeoutError:
                    continue
        finally:
            process.kill("the engine is stopping")
            self._loaded.clear()
            self._deaths += 1
            if self._ended.is_set():
                self._suspects = sum(answer.resting for answer in self._answers.values())
                self._fail_all(
                    WorkerCrashedError(
                        f"The program that computes answers ended in the middle of this one: {self._end_reason}.",
                        alone=self._suspects == 1,
                    )
                )
            else:
                self._fail_all(WorkerDiedError("The engine is stopping, and this answer with it."))
            try:
                await asyncio.to_thread(process.close)
            finally:
                self._process = None
                self._notify()
        for line in process.stderr[-5:]:
            _log.info("the worker's last words: %s", line)
        return self._end_reason

    def _watch(self, process: WorkerProcess) -> None:
        """Kill a worker that hangs."""
        silence = self._clock.monotonic() - self._heard
        limits = self._settings
        limit = {"step": limits.step_timeout, "loading": limits.load_timeout}.get(self._beat.activity)
        # Loading holds the interpreter for long stretches: silence then is judged by the time for loading.
        patience = limits.load_timeout if self._beat.activity == "loading" else limits.silence_timeout
        if silence > patience:
            process.kill(f"it gave no sign of life for {silence:.0f} s")
        elif limit is not None and self._beat.seconds > limit:
            process.kill(f"one step took longer than {limit:.0f} s")

    def _on_end(self, reason: str) -> None:
        self._end_reason = reason
        self._ended.set()

    # ------------------------------------------------------------------------------------------- what it is told

    async def _ready(self, model_id: str, deaths: int = DEATHS_WHILE_LOADING) -> None:
        """Wait until ``model_id`` is loaded; given up when so many workers have died over it."""
        try:
            async with asyncio.timeout(self._settings.ready_timeout):
                while self._folders is None:
                    await self._change()
                if model_id not in self._folders:
                    raise UnknownModelError(
                        f"There is no model {model_id[:200]!r} on this machine. It has: "
                        f"{', '.join(self._folders) or 'none'}. Choose one of these or download the model first."
                    )
                await self._until_loaded(model_id, deaths)
        except TimeoutError:
            raise WorkerDiedError(
                f"The model {model_id} could not be loaded within {self._settings.ready_timeout:.0f} s. Close other "
                "programs, or choose a smaller model."
            ) from None

    async def _until_loaded(self, model_id: str, deaths: int) -> None:
        self._want(model_id)
        last = self._deaths + deaths
        while model_id not in self._loaded:
            error = self._load_errors.get(model_id)
            if error is not None:
                raise UnknownModelError(f"The model {model_id} cannot be loaded. {error}")
            if self._deaths >= last or model_id not in self._wanted:
                raise WorkerDiedError(
                    f"The program that computes answers does not stay up: {self._end_reason or 'it was stopped'}. "
                    "Close other programs or choose a smaller model, and ask again."
                )
            await self._change()

    def _want(self, model_id: str) -> None:
        self._load_errors.pop(model_id, None)
        if model_id in self._wanted:
            return
        self._wanted[model_id] = None
        if self._process is not None:
            self._load(model_id)
        self._notify()

    def _load(self, model_id: str) -> None:
        folder = (self._folders or {})[model_id]
        settings = self._settings
        self._tell(
            Load(
                model_id=model_id,
                path=str(folder.path),
                digest=folder.digest,
                tokenizer_digest=folder.tokenizer_digest,
                threads=settings.threads,
                slots=settings.slots,
                queue_limit=settings.queue_limit,
                prefill_chunk=settings.prefill_chunk,
                kv_bytes=settings.kv_bytes,
                variant=folder.variant,
            )
        )

    def _request(self, key: int, request: GenerationRequest) -> None:
        if self._process is None:
            raise WorkerDiedError("The program that computes answers is being restarted: ask again in a moment.")
        try:
            self._tell(Generate(key, request))
        except InferenceError as error:
            raise InvalidRequestError(f"The conversation is too long: {error}. Shorten it.") from error

    def _cancel(self, key: int) -> None:
        try:
            self._tell(CancelAnswer(key))
        except GenTorrentError as error:
            _log.warning("an answer could not be cancelled: %s", error)

    def _tell(self, message: ToWorker) -> None:
        if self._process is not None:
            self._process.send(message)

    # --------------------------------------------------------------------------------------------- what it says

    def _message(self, message: FromWorker) -> None:
        self._heard = self._clock.monotonic()
        if isinstance(message, Event):
            if (mailbox := self._mailboxes.get(message.key)) is not None:
                mailbox.put(message.event)
        elif isinstance(message, AnswerFailed):
            if (mailbox := self._mailboxes.get(message.key)) is not None:
                mailbox.fail(request_error(message.code, message.text))
        elif isinstance(message, Beat):
            self._beat = message
            self._measured(message.models)
        elif isinstance(message, Loaded):
            self._loaded.add(message.info.model_id)
            self._measured((message.info,))
            self._show_progress()
        elif isinstance(message, LoadFailed):
            self._load_failed(message)

    def _load_failed(self, message: LoadFailed) -> None:
        _log.warning("the model %s cannot be loaded: %s", message.model_id, message.text)
        self._load_errors[message.model_id] = message.text
        self._wanted.pop(message.model_id, None)
        self._show_progress()

    def _show_progress(self) -> None:
        if all(model_id in self._loaded for model_id in self._wanted):
            self._show(WorkerState("ready"))
        self._notify()

    def _measured(self, infos: tuple[ModelInfo, ...]) -> None:
        for info in infos:
            if info.model_id in self._infos:
                self._infos[info.model_id] = info

    def _fail_all(self, error: WorkerDiedError) -> None:
        for mailbox in self._mailboxes.values():
            if mailbox.sent and not mailbox.complete:
                mailbox.fail(error)

    def _describe(self, folder: ModelFolder) -> ModelInfo:
        return ModelInfo(
            model_id=folder.model_id,
            digest=folder.digest,
            tokenizer_digest=folder.tokenizer_digest,
            context_length=folder.context_length,
            slots=self._settings.slots,
        )

    # ------------------------------------------------------------------------------------------------- waiting

    def _show(self, state: WorkerState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)

    def _notify(self) -> None:
        """Wake everybody who waits for a change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _change(self) -> None:
        await self._changed.wait()
