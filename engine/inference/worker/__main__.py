"""The worker process: ``python -m engine.inference.worker``, frames in on standard input, out on standard output.

It holds no keys and no addresses, opens no sockets and ends when the engine's end of the pipe closes. One thread
computes, one reads commands, one says how long prompts are (who decides where a prompt goes does not wait for a step),
one sends a sign of life four times a second.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import BinaryIO, NoReturn

from engine.clock import Clock, SystemClock
from engine.errors import InferenceError, ProviderFailedError, RequestError, UnknownModelError
from engine.forwarding.reckoning import LEAST_SECONDS, mistaken
from engine.inference.pipe import (
    PROVIDER_FAILED,
    AnswerFailed,
    Beat,
    CacheChanged,
    CancelAnswer,
    Describe,
    Described,
    Event,
    FromWorker,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    ProviderFailed,
    Score,
    Scored,
    SetBudget,
    SetPace,
    ToWorker,
    Unload,
    decode_to_worker,
    frame,
    read_frame,
)
from engine.inference.types import Done, GenerationEvent, ModelInfo, TokenScores
from engine.inference.worker.model_host import ModelHost
from engine.inference.worker.rests import Rests
from engine.sentences import plain, said_by, words_of

_BEAT_SECONDS = 0.25
"""As often as a small group may hear of the load that it tells (``engine.forwarding.gossip.SMALL_GROUP_SECONDS``)."""
_INBOX = 1024
_QUESTIONS = 64
_LONGEST_WAIT = 60.0
"""Seconds; a deadline may lie beyond what the system can wait for."""
_log = logging.getLogger(__name__)


class Outlet:
    """Frames to the engine, from several threads; a closed pipe ends the process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, *messages: FromWorker) -> None:
        """Write the frames and flush them together."""
        data = b"".join(frame(message) for message in messages)
        try:
            with self._lock:
                self._stream.write(data)
                self._stream.flush()
        except OSError:
            os._exit(0)  # nobody listens any more; other threads may be in the middle of computing


class Worker:
    """The computing thread's state: loaded models and the answers in the making."""

    def __init__(self, outlet: Outlet, clock: Clock) -> None:
        self.inbox: queue.Queue[ToWorker] = queue.Queue(_INBOX)
        self.questions: queue.Queue[Describe] = queue.Queue(_QUESTIONS)
        self._outlet = outlet
        self._clock = clock
        self._hosts: dict[str, ModelHost] = {}
        self._models: dict[int, str] = {}  # answer's key -> model id
        self._said: list[FromWorker] = []  # of this step: one write for all of it
        self._activity = ("loading", clock.monotonic())
        self._infos: tuple[ModelInfo, ...] = ()
        self._told: tuple[tuple[ModelInfo, ...], float] = ((), clock.monotonic())  # by the last beat, and when
        self._asked = False  # something that has not been counted yet
        self._rests = Rests()

    def run(self) -> None:
        """Work until the process ends; by itself only when the execution provider has failed."""
        while True:
            self._receive()
            if self._asked:
                self._count()
            begun = self._clock.monotonic()
            who = self._rests.who(begun, owner_waits=self._owner_waits)
            if who == "nobody":
                continue
            owner_only = who == "owner"
            self._do("step")
            for host in list(self._hosts.values()):
                try:
                    host.step(self._rests.pace, owner_only)
                except ProviderFailedError as error:
                    self._provider_failed(host.info().provider, error)
                self._said += [CacheChanged(news) for news in host.cache_news()]
            self._say()
            self._count()
            self._rests.worked(begun, self._clock.monotonic(), owner_only=owner_only)

    @property
    def _owner_waits(self) -> bool:
        return any(host.owner_waits for host in self._hosts.values())

    def _count(self) -> None:
        """How busy the models are now; the engine is told before the next beat where it would reckon wrongly."""
        self._infos, self._asked = tuple(host.info() for host in self._hosts.values()), False
        told, at = self._told
        before, since = {info.model_id: info for info in told}, self._clock.monotonic() - at
        if since >= LEAST_SECONDS and any(
            mistaken(before[info.model_id], info, since) for info in self._infos if info.model_id in before
        ):
            self._outlet.send(self.beat())

    def _provider_failed(self, provider: str, error: ProviderFailedError) -> NoReturn:
        """End the process: what a broken device holds cannot be trusted, and its memory is free only then."""
        said = said_by(error)
        self._outlet.send(*self._said, ProviderFailed(provider, plain(said), words_of(said)))
        os._exit(PROVIDER_FAILED)

    def _say(self) -> None:
        if self._said:
            self._outlet.send(*self._said)
            self._said.clear()

    def take(self, message: ToWorker) -> None:
        """A command has come; called from another thread."""
        if not isinstance(message, Describe):
            self.inbox.put(message)
            return
        try:
            self.questions.put_nowait(message)
        except queue.Full:
            self._outlet.send(Described(message.key))

    def describe(self, message: Describe) -> None:
        """Answer a question about a prompt; called from another thread than the one that computes."""
        host = self._hosts.get(message.request.model_id)
        try:
            shape = None if host is None else host.describe(message.request)
        except Exception as error:  # of one request, whose text must not be told; the others go on
            _log.error("a prompt could not be described: %s", type(error).__name__)
            shape = None
        self._outlet.send(Described(message.key, shape))

    def beat(self) -> Beat:
        """What the heartbeat says; called from another thread."""
        (activity, since), infos, now = self._activity, self._infos, self._clock.monotonic()
        self._told = (infos, now)
        return Beat(activity, max(0.0, now - since), infos)

    def _do(self, activity: str) -> None:
        self._activity = (activity, self._clock.monotonic())

    def _receive(self) -> None:
        """Take every command that is there; wait for one as long as there is nothing to compute."""
        self._do("idle")
        due = self._due()
        wait = None if due is None else min(max(0.0, due - self._clock.monotonic()), _LONGEST_WAIT)
        try:
            message = self.inbox.get(timeout=wait) if wait != 0 else self.inbox.get_nowait()
            while True:
                self._handle(message)
                message = self.inbox.get_nowait()
        except queue.Empty:
            self._say()

    def _due(self) -> float | None:
        """When there is a step to compute, the rests between them counted; None: nothing runs."""
        waits = self._owner_waits
        dues = [
            max(at, self._rests.until(owner=owner_only or waits))
            for host in self._hosts.values()
            for owner_only in (False, True)
            if (at := host.next_deadline(owner_only)) is not None
        ]
        return min(dues, default=None)

    def _handle(self, message: ToWorker) -> None:
        if isinstance(message, Load):
            self._do("loading")
            self._outlet.send(self.beat())  # imports may keep the heartbeat waiting
            self._load(message)
            self._do("idle")
            self._outlet.send(self.beat())  # from here on silence is judged strictly again
        elif isinstance(message, Unload):
            host = self._hosts.pop(message.model_id, None)
            if host is not None:
                host.close(RequestError(f"The model {message.model_id} was unloaded. Ask again."))
        elif isinstance(message, SetBudget):
            host = self._hosts.get(message.model_id)
            if host is not None:
                host.set_budget(message.kv_bytes)
        elif isinstance(message, SetPace):
            self._rests.pace, self._rests.owners = message.share, message.owners
        elif isinstance(message, Generate | Score):
            self._do("step")
            self._asked = True
            self._generate(message)
        elif isinstance(message, CancelAnswer):
            self._cancel(message)

    def _load(self, message: Load) -> None:
        if message.model_id not in self._hosts:
            try:
                self._hosts[message.model_id] = self._open(message)
            except InferenceError as error:
                if isinstance(error, ProviderFailedError) and message.providers[0] != "CPUExecutionProvider":
                    self._provider_failed(message.providers[0], error)
                said = said_by(error)
                self._outlet.send(LoadFailed(message.model_id, plain(said), words_of(said)))
                return
        self._infos = tuple(host.info() for host in self._hosts.values())
        self._outlet.send(Loaded(self._hosts[message.model_id].info()))

    def _open(self, message: Load) -> ModelHost:
        # Slow imports wait until they are needed: the process is up, and says so, at once.
        from engine.inference.worker.loading import open_model

        return open_model(message, self._clock, self._emit)

    def _generate(self, message: Generate | Score) -> None:
        host = self._hosts.get(message.request.model_id)
        self._models[message.key] = message.request.model_id
        if host is None:
            model_id = message.request.model_id
            self._emit(message.key, UnknownModelError(f"The model {model_id} is not loaded. Ask again in a moment."))
        elif isinstance(message, Score):
            host.score(message.key, message.request, message.output_ids)
        else:
            host.submit(message.key, message.request)

    def _cancel(self, message: CancelAnswer) -> None:
        host = self._hosts.get(self._models.pop(message.key, ""))
        if host is not None:
            host.cancel(message.key)

    def _emit(self, key: int, event: GenerationEvent | TokenScores | RequestError) -> None:
        if isinstance(event, RequestError):
            self._models.pop(key, None)
            self._said.append(AnswerFailed(key, event.code, str(event), event.parameter))
            return
        if isinstance(event, TokenScores):
            self._models.pop(key, None)
            self._said.append(Scored(key, event))
            return
        if isinstance(event, Done):
            self._models.pop(key, None)
        self._said.append(Event(key, event))


def _read_commands(stream: BinaryIO, worker: Worker) -> None:
    """The reading thread; it ends the process with the pipe, however busy the computing thread is."""
    try:
        while (content := read_frame(stream.read)) is not None:
            worker.take(decode_to_worker(content))
    except (OSError, InferenceError) as error:
        _log.error("the engine's commands cannot be read: %s", error)
        os._exit(2)
    os._exit(0)


def _describe_prompts(worker: Worker) -> None:
    while True:
        worker.describe(worker.questions.get())


def _send_beats(outlet: Outlet, worker: Worker, ended: threading.Event) -> None:
    while not ended.wait(_BEAT_SECONDS):
        outlet.send(worker.beat())


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: whatever a library prints goes to standard error instead."""
    commands = os.fdopen(os.dup(0), "rb")
    events = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return commands, events


def _no_core_dump() -> None:
    """A crash must not write prompts to the disk."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Serve the engine until it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which closes the pipe
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    _no_core_dump()
    faulthandler.enable()  # a crash in native code says where
    commands, events = _take_pipes()
    outlet = Outlet(events)
    worker = Worker(outlet, SystemClock())
    outlet.send(worker.beat())
    ended = threading.Event()
    threading.Thread(target=_read_commands, args=(commands, worker), daemon=True, name="commands").start()
    threading.Thread(target=_describe_prompts, args=(worker,), daemon=True, name="prompts").start()
    threading.Thread(target=_send_beats, args=(outlet, worker, ended), daemon=True, name="beats").start()
    try:
        worker.run()
    except Exception as error:
        # The error's own text may quote a prompt; what is written here is shown and logged by the engine.
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        places = " < ".join(f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(frames))
        sys.stderr.write(f"Fatal Python error: {type(error).__name__} in {places}\n")
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
