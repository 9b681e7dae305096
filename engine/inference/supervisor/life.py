"""One worker's life: started, watched for signs of it, ended when it hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.clock import Clock
from engine.inference.pipe import Beat, FromWorker, ProviderFailed, ToWorker
from engine.inference.supervisor.devices import Device
from engine.inference.supervisor.ending import Ending, last_words
from engine.inference.supervisor.process import WorkerProcess
from engine.inference.supervisor.settings import InferenceSettings
from engine.sentences import said_again, say

_LOOK = 0.5
"""Seconds between two looks at a worker."""


class WorkerLife:
    """``on_message`` is called in the event loop, in the order in which the worker said it."""

    def __init__(self, settings: InferenceSettings, clock: Clock, on_message: Callable[[FromWorker], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._on_message = on_message
        self._process: WorkerProcess | None = None
        self._ending: Ending | None = None
        self._ended = asyncio.Event()
        self._beat = Beat("loading", 0.0, ())
        self._silence = 0.0
        self._provider = ""

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid if self._process is not None else None

    def start(self, device: Device) -> Ending | None:
        """Start it; why it cannot be, else None."""
        loop = asyncio.get_running_loop()
        try:
            self._process = WorkerProcess(self._settings.command, loop, self._message, self._on_end, device.environment)
        except OSError as error:
            return Ending("not started", say("worker.not_started", error=str(error.strerror)))
        return None

    async def watch(self) -> Ending:
        """Until it ends; a worker that hangs is killed."""
        assert self._process is not None
        last = self._clock.monotonic()
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(_LOOK):
                    await self._ended.wait()
            except TimeoutError:
                now = self._clock.monotonic()
                # While the engine itself stood still (a laptop asleep, a stopped process) nobody could be heard.
                self._silence += min(now - last, 2 * _LOOK)
                last = now
                self._look(self._process)
        assert self._ending is not None
        return self._explained(self._ending)

    def send(self, message: ToWorker) -> None:
        """Queue a message; :class:`OverloadedError` when the worker does not take any more."""
        if self._process is not None:
            self._process.send(message)

    def kill(self, why: Ending) -> None:
        """End it now. Never blocks."""
        if self._process is not None:
            self._process.kill(why)

    async def close(self) -> None:
        """It is gone when this returns, with its memory."""
        if self._process is not None:
            self._process.kill(Ending("stopped", "the engine is stopping"))
            await asyncio.to_thread(self._process.close)

    def _look(self, process: WorkerProcess) -> None:
        limits, activity = self._settings, self._beat.activity
        limit = {"step": limits.step_timeout, "loading": limits.load_timeout}.get(activity)
        # Loading holds the interpreter for long stretches: silence then is judged by the time for loading.
        patience = limits.load_timeout if activity == "loading" else limits.silence_timeout
        if self._silence > patience:
            process.kill(Ending("hang", say("worker.silent", seconds=round(self._silence))))
        elif limit is not None and self._beat.seconds > limit:
            process.kill(Ending("hang", say(_TOO_LONG[activity], seconds=round(limit))))

    def _message(self, message: FromWorker) -> None:
        self._silence = 0.0
        if isinstance(message, Beat):
            self._beat = message
        elif isinstance(message, ProviderFailed):
            self._provider = said_again(message.text.rstrip("."), message.words)
        self._on_message(message)

    def _on_end(self, ending: Ending) -> None:
        self._ending = ending
        self._ended.set()

    def _explained(self, ending: Ending) -> Ending:
        if ending.kind == "provider" and self._provider:
            return Ending(ending.kind, self._provider)
        words = last_words(self._process.stderr) if self._process is not None else ""
        if words and ending.kind in ("crash", "exit", "provider", "nonsense"):
            return Ending(ending.kind, say("worker.last_words", reason=ending.text, words=words))
        return ending


_TOO_LONG = {"step": "worker.step_long", "loading": "worker.loading_long"}
