"""One worker process and its pipes, as the engine sees them.

The pipes are served by threads: Windows' selector event loop, which the links need, knows no subprocesses, and one way
for all systems is one way to test.
"""

from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from engine.errors import InferenceError, OverloadedError
from engine.inference.pipe import FromWorker, ToWorker, decode_from_worker, frame, read_frame
from engine.inference.supervisor.ending import Ending, ended
from engine.sentences import say

T = TypeVar("T")

_OUTBOX = 512
_IN_FLIGHT = 256  # messages read from the worker that the event loop has not handled yet
_STDERR_LINES = 100
_STDERR_WIDTH = 500
_PASSED_ON = (
    "PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "USERPROFILE",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS", "COVERAGE_PROCESS_START",
)  # fmt: skip
_PASSED_PREFIXES = ("LC_", "CUDA_", "NVIDIA_")


def worker_environment(inherited: dict[str, str]) -> dict[str, str]:
    """What the worker may know of the engine's environment: no tokens, no passphrases, no proxies."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name.upper() in _PASSED_ON or name.upper().startswith(_PASSED_PREFIXES)
    }
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_VERBOSITY": "error"}
    # Before its first import: ONNX Runtime's own builds report to their maker from then on.
    silent = {"ORT_DISABLE_TELEMETRY": "1"}
    # Weights in pages of 2 MB where the system has them: looking up 4 KB pages costs up to a tenth of a step. Only
    # glibc reads this.
    pages = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    return kept | offline | silent | pages | {"TOKENIZERS_PARALLELISM": "false", "PYTHONUTF8": "1"}


class WorkerProcess:
    """A running worker. ``on_message`` and ``on_end`` are called in the event loop; ``on_end`` once, with why, after
    the last message. ``environment``: variables that it gets beside those of the system."""

    def __init__(
        self,
        command: Sequence[str],
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[FromWorker], None],
        on_end: Callable[[Ending], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._loop = loop
        self._on_message = on_message
        self._on_end = on_end
        self._outbox: queue.Queue[bytes | None] = queue.Queue(_OUTBOX)
        self._room = threading.Semaphore(_IN_FLIGHT)
        self._closed = threading.Event()
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._why: Ending | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=worker_environment(dict(os.environ)) | dict(environment or {}),
        )
        jobs = (("stderr", self._collect), ("read", self._read), ("write", self._write))
        self._threads = [threading.Thread(target=job, daemon=True, name=f"worker-{name}") for name, job in jobs]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    @property
    def stderr(self) -> list[str]:
        """The last lines it wrote to standard error."""
        return list(self._stderr)

    def send(self, message: ToWorker) -> None:
        """Queue a message; :class:`OverloadedError` when the worker does not take any more."""
        try:
            self._outbox.put_nowait(frame(message))
        except queue.Full:
            raise OverloadedError("The inference worker is too busy to take another request. Try again.") from None

    def kill(self, why: Ending) -> None:
        """End the process now; its memory is free when this returns and the system has noticed. Never blocks."""
        self._why = self._why or why
        self._process.kill()

    def close(self) -> None:
        """After :meth:`kill`: wait for the process and its threads and close the pipes. Blocks for a moment."""
        self._closed.set()
        self._process.wait(timeout=5)
        try:
            self._outbox.put_nowait(None)
        except queue.Full:
            pass  # the writer has died of the closed pipe, or will at its next write
        for thread in self._threads:
            thread.join(timeout=2)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # unsent bytes for a dead process

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while (content := read_frame(self._process.stdout.read)) is not None:
                self._deliver(decode_from_worker(content))
        except (InferenceError, ValueError, OSError) as error:
            self._why = self._why or Ending("nonsense", say("worker.nonsense", error=str(error)))
            self._process.kill()
        code = self._process.wait()
        self._threads[0].join(timeout=1)  # its last words
        self._call(self._on_end, self._why or ended(code))

    def _deliver(self, message: FromWorker) -> None:
        while not self._room.acquire(timeout=0.5):
            if self._closed.is_set():
                return
        self._call(self._handle, message)

    def _handle(self, message: FromWorker) -> None:
        self._room.release()
        self._on_message(message)

    def _call(self, function: Callable[[T], None], argument: T) -> None:
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:
            self._closed.set()  # the loop is gone, and with it everybody who could want this

    def _write(self) -> None:
        assert self._process.stdin is not None
        try:
            while (data := self._outbox.get()) is not None:
                self._process.stdin.write(data)
                self._process.stdin.flush()
        except (OSError, ValueError):
            return  # the reader notices the end and says why

    def _collect(self) -> None:
        assert self._process.stderr is not None
        try:
            while line := self._process.stderr.readline(_STDERR_WIDTH):
                self._stderr.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            return
