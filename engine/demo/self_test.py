"""Does this installation work? One answer through an engine and a worker of its own, and a look at the window."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from engine import __version__
from engine.demo.control import open_control
from engine.demo.processes import Processes
from engine.errors import GenTorrentError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.programs import frozen, module_command
from engine.storage.data_directory import DataDirectory

QUESTION = "Who can read my question?"
ANSWER_SECONDS = 120.0
"""For the engine's start and the answer together; they take 3 on a usual machine."""
WINDOW_SECONDS = 90.0
WORKER = "engine.inference.worker"


class SelfTestError(GenTorrentError):
    """Something of this installation does not work."""


@dataclass(slots=True)
class Report:
    """What was done, and how long it took; what failed is the last step."""

    version: str = __version__
    installation: str = field(default_factory=lambda: "bundle" if frozen() else f"Python {platform.python_version()}")
    ok: bool = False
    question: str = QUESTION
    answer: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""

    @contextmanager
    def step(self, name: str, say: bool) -> Iterator[dict[str, Any]]:
        """One step; the block may write what it found out under ``"text"``."""
        began = time.perf_counter()
        entry: dict[str, Any] = {"name": name, "ok": False, "text": ""}
        self.steps.append(entry)
        try:
            yield entry
            entry["ok"] = True
        finally:
            entry["seconds"] = round(time.perf_counter() - began, 2)
            if say:
                mark = "ok    " if entry["ok"] else "FAILED"
                print(f"{mark} {name} ({entry['seconds']:.1f} s){entry['text'] and ': ' + entry['text']}", flush=True)


def self_test(window: bool, json_output: bool) -> bool:
    """Do it, tell it, and say whether all is well."""
    report = Report()
    if not json_output:
        print(f"GenTorrent {report.version}, {report.installation}, {sys.executable}")
    with tempfile.TemporaryDirectory(prefix="gentorrent-self-test-", ignore_cleanup_errors=True) as folder:
        try:
            _check(Path(folder), report, window, say=not json_output)
            report.ok = True
        except (GenTorrentError, OSError, subprocess.SubprocessError, psutil.Error) as error:
            report.problem = str(error)
    if json_output:
        print(json.dumps(asdict(report)))
    elif report.ok:
        print("This installation works.")
    if not report.ok:
        print(f"gentorrent: The self-test failed. {report.problem}", file=sys.stderr)
    return report.ok


def _check(folder: Path, report: Report, window: bool, say: bool) -> None:
    data = folder / "data"
    with Processes(folder / "logs") as processes:
        asyncio.run(_ask(data, processes, report, say))
        if window:
            with report.step("opened the window", say) as step:
                step["text"] = _open_window(data)
    if say:
        print(f"\n  {report.question}\n  {report.answer}\n")


async def _ask(data: Path, processes: Processes, report: Report, say: bool) -> None:
    def alive() -> None:
        if dead := processes.dead():
            raise SelfTestError(f"A process ended by itself: {'; '.join(dead)}")

    try:
        async with asyncio.timeout(ANSWER_SECONDS), AsyncExitStack() as open_connections:
            with report.step("started an engine", say) as step:
                arguments = ["node", "--data", str(data), "--api-port", "0", "--no-relay"]
                engine = processes.start("engine", "engine.cli", arguments)
                control = await open_connections.enter_async_context(open_control(DataDirectory(data), alive))
                step["text"] = f"process {engine.pid}"
            with report.step("got an answer from the built-in model", say) as step:
                pieces: list[str] = []
                done = await control.ask(BUILTIN_MODEL, QUESTION, pieces.append, route="local")
                report.answer = "".join(pieces).strip()
                if not report.answer:
                    raise SelfTestError("The model has answered with nothing.")
                step["text"] = f"{done.completion_tokens} tokens"
            with report.step("found the worker that made it", say) as step:
                step["text"] = f"process {_worker(engine.pid)}"
    except TimeoutError:
        last = processes.last_line("engine")
        raise SelfTestError(
            f"No answer came within {ANSWER_SECONDS:.0f} seconds.{last and f' The engine said last: {last}'}"
        ) from None


def _worker(engine: int) -> int:
    """The process that computed, a child of the engine."""
    for child in psutil.Process(engine).children(recursive=True):
        if WORKER in child.cmdline():
            return int(child.pid)
    raise SelfTestError("The engine answered, but no worker process of it can be seen.")


def _open_window(data: Path) -> str:
    """Open the window on the engine that runs, until it is drawn and takes input."""
    environment = _window_environment(os.environ)
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            module_command("app", "--data", str(data), "--no-relay"),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=WINDOW_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SelfTestError(f"The window was not there after {WINDOW_SECONDS:.0f} seconds.") from None
    if done.returncode != 0 or "usable" not in done.stdout:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise SelfTestError(f"The window could not be opened: {words[-1] if words else f'exit code {done.returncode}'}")
    return "off screen" if environment.get("QT_QPA_PLATFORM") == "offscreen" else ""


def _window_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in inherited.items() if not name.startswith("GENTORRENT_")}
    environment |= {"GENTORRENT_KEYRING": "off", "GENTORRENT_MEASURE_START": "1"}
    if sys.platform.startswith("linux") and not any(map(inherited.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    return environment
