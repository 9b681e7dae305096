"""A driver's process as the measuring process sees it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import psutil

from engine.bench.engines import Engine, Places
from engine.bench.work import Precision, Settings, Work
from engine.errors import BenchmarkError

REPLY_SECONDS = 600.0
"""After which a driver is given up; loading counts."""
LAST_WORDS = 4000
"""Bytes of a driver's standard error that are shown when it fails."""


class DriverProcess:
    """One engine with one model, kept for all its measurements. Close it."""

    def __init__(self, engine: Engine, precision: Precision, places: Places, errors: Path) -> None:
        self.engine = engine
        self.precision = precision
        self.versions: dict[str, str] = {}
        self._model = places.model(engine, precision)
        self._settings: Settings | None = None
        self._errors = errors
        with errors.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603
                [str(places.python(engine)), "-m", f"engine.bench.drivers.{engine.module}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                cwd=places.root,
                env=places.environment(),
                text=True,
                encoding="utf-8",
            )

    def use(self, settings: Settings) -> None:
        """Load the model with ``settings``, unless it is loaded so."""
        if settings == self._settings:
            return
        self._settings = None
        everything = {**settings, **self.engine.fixed.get(self.precision, {})}
        reply = self._ask({"do": "load", "model": str(self._model), "settings": everything})
        self.versions = reply["versions"]
        self._settings = settings

    def measure(self, work: Work) -> dict[str, float]:
        """``seconds`` and ``tokens`` of one measurement."""
        command = {"kind": work.kind, "batch": work.batch, "prompt": work.prompt, "steps": work.steps}
        return self._ask({"do": "measure", "draw": work.draw, **command})

    def processor_seconds(self) -> float:
        """Used so far by the process and those it started."""
        try:
            process = psutil.Process(self._process.pid)
            times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        except psutil.Error:
            return 0.0
        return float(sum(time.user + time.system for time in times))

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        guard = threading.Timer(REPLY_SECONDS, self._process.kill)
        guard.start()
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        finally:
            guard.cancel()
        try:
            reply = json.loads(line)
        except ValueError:
            raise BenchmarkError(self._failed("its process ended")) from None
        if not isinstance(reply, dict) or "error" in reply:
            raise BenchmarkError(self._failed(str(reply["error"]) if isinstance(reply, dict) else "a broken reply"))
        return reply

    def _failed(self, what: str) -> str:
        words = self._errors.read_bytes()[-LAST_WORDS:].decode("utf-8", "replace").strip()
        told = f" It wrote: {words}" if words else ""
        return (
            f"{self.engine.name} failed at {self.precision}: {what}.{told} Without it the comparison means nothing. "
            "Close other programs if memory is short, or run `make bench-setup` again."
        )
