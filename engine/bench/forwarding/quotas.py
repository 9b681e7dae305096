"""A share of a processor for each node: Linux control groups with a quota, version 1 or 2.

Groups are made below the root of the hierarchy, named after the process that made them, and go with it: :class:`Quotas`
removes them, a janitor process (``janitor.py``) when this one was killed, and the next run what both have missed.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import psutil

from engine.bench.forwarding import janitor
from engine.errors import BenchmarkError
from engine.programs import module_command

PREFIX = "gentorrent-bench-"
PERIOD_US = 20_000
"""Microseconds in which a node may use its share. Short, so that nothing stands still for long; the kernel hands out
quota in slices of 5 ms, so much shorter ones are not kept exactly."""
MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True)
class Controller:
    """Where groups are made. ``version`` decides which files say what a group may use."""

    version: Literal[1, 2]
    root: Path

    def settings(self, share: float | None) -> dict[str, str]:
        """Contents of a group's files for ``share`` of one processor (None: no limit), in the order of writing. Before
        other programs it gets what it may use."""
        quota = None if share is None else max(1_000, round(share * PERIOD_US))
        if self.version == 2:
            return {"cpu.weight": str(10_000), "cpu.max": f"{'max' if quota is None else quota} {PERIOD_US}"}
        weight = {"cpu.shares": str(256 * 1024)}
        return (
            weight
            if quota is None
            else weight
            | {
                "cpu.cfs_period_us": str(PERIOD_US),
                "cpu.cfs_quota_us": str(quota),
            }
        )


def find_controllers(mounts: str) -> list[Controller]:
    """Places that may do, by the text of /proc/self/mounts: the cpu controller of version 1, the tree of version 2."""
    found = []
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 4:
            continue
        place, kind, options = Path(fields[1].replace("\\040", " ")), fields[2], fields[3].split(",")
        if kind == "cgroup" and "cpu" in options:
            found.append(Controller(1, place))
        elif kind == "cgroup2":
            found.append(Controller(2, place))
    return found


def usable(controller: Controller) -> str:
    """Why no quota can be set there; empty when it can. Tries it, and leaves nothing behind."""
    if controller.version == 2:
        try:
            handed_down = (controller.root / "cgroup.subtree_control").read_text().split()
        except OSError as error:
            return f"{controller.root}: {error.strerror}"
        if "cpu" not in handed_down:
            return f"{controller.root} hands no cpu controller down to its groups"
    group = controller.root / f"{PREFIX}{os.getpid()}-probe"
    try:
        group.mkdir()
    except OSError as error:
        return f"{controller.root}: {error.strerror}"
    try:
        for name, value in controller.settings(0.5).items():
            (group / name).write_text(value)
    except OSError as error:
        return f"{controller.root}: {error.strerror}"
    finally:
        with suppress(OSError):
            group.rmdir()
    return ""


def find_controller(mounts: str | None = None) -> tuple[Controller | None, str]:
    """The first that works, or None and why not, in words."""
    if mounts is None:
        try:
            mounts = MOUNTS.read_text(encoding="utf-8")
        except OSError:
            return None, "this system has no control groups"
    reasons = []
    for controller in find_controllers(mounts):
        problem = usable(controller)
        if not problem:
            return controller, ""
        reasons.append(problem)
    return None, "; ".join(reasons) or "no cpu controller of control groups is mounted"


class Quotas:
    """A context manager around the groups of one run. Without a controller nothing gets a quota. ``folder`` is the
    run's own, which the janitor removes when this process is killed."""

    def __init__(self, controller: Controller | None, folder: Path) -> None:
        self.controller = controller
        self._folder = folder
        self._groups: dict[str, Path] = {}
        self._janitor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Quotas:
        own = [str(self._folder)]
        if self.controller is not None:
            sweep(self.controller.root, psutil.pids())
            own.append(str(self.controller.root / f"{PREFIX}{os.getpid()}-"))
        self._janitor = subprocess.Popen(  # noqa: S603 - our own module
            module_command(janitor.__name__, *own), stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._groups):
            self.remove(name)
        if self._janitor is not None and self._janitor.stdin is not None:
            self._janitor.stdin.close()
            self._janitor.wait()  # it removes the folder, too

    def limit(self, name: str, pid: int, share: float | None) -> None:
        """The process, its children and theirs may use ``share`` of one processor together, from now on (None: all
        that it wants), and come before other programs."""
        if self.controller is None:
            return
        group = self.controller.root / f"{PREFIX}{os.getpid()}-{name}"
        try:
            group.mkdir(exist_ok=True)
            self._groups[name] = group
            for file, value in self.controller.settings(share).items():
                (group / file).write_text(value)
            process = psutil.Process(pid)
            for member in (process, *process.children(recursive=True)):
                (group / "cgroup.procs").write_text(str(member.pid))
        except (OSError, psutil.Error) as error:
            raise BenchmarkError(
                f"The process {name} could not be given its share of a processor in {group} ({error}). Run it again, "
                "or with --no-quota, which measures nodes that disturb each other."
            ) from error

    def throttled(self, name: str) -> float:
        """Of the periods in which the group ran, the share in which it used up its quota; 0 where nobody counts."""
        group = self._groups.get(name)
        if group is None:
            return 0.0
        try:
            found = dict(line.split()[:2] for line in (group / "cpu.stat").read_text().splitlines())
            return int(found["nr_throttled"]) / max(1, int(found["nr_periods"]))
        except (OSError, KeyError, ValueError):
            return 0.0

    def remove(self, name: str) -> None:
        """Remove a group whose processes have ended; they take a moment to leave it."""
        group = self._groups.pop(name, None)
        if group is not None:
            janitor.empty(group, time.monotonic, time.sleep)


def sweep(root: Path, alive: Iterable[int]) -> list[str]:
    """Remove groups of earlier runs whose process is not among ``alive``; their names."""
    running, removed = set(alive), []
    for group in sorted(root.glob(f"{PREFIX}*-*")):
        owner = group.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and int(owner) not in running:
            janitor.empty(group, time.monotonic, time.sleep)
            removed.append(group.name)
    return removed
