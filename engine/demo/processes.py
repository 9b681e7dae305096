"""The demo's child processes: started together, ended together, none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil

from engine.programs import module_command

STOP_SECONDS = 6.0


class Processes:
    """A context manager around every process of the demo. Their output goes to files in ``logs``."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start our own ``module`` with ``arguments``; see :meth:`launch`."""
        return self.launch(name, module_command(module, *arguments))

    def launch(
        self, name: str, command: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start ``command``, with ``settings`` in its environment. It has its own process group, so that Ctrl-C reaches
        only us, and a standard input that closes when we are gone."""
        self._logs.mkdir(parents=True, exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
        environment |= {"GENTORRENT_KEYRING": "off", "GENTORRENT_SENSORS": "false", "GENTORRENT_STOP_WITH_STDIN": "1"}
        environment |= settings or {}
        with (self._logs / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - our own modules with our own arguments
                list(command),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self._children[name] = child
        return child

    def dead(self) -> list[str]:
        """What has ended by itself, with the last line that it wrote."""
        return [
            f"{name} (exit code {child.returncode}): {self.last_line(name)}"
            for name, child in self._children.items()
            if child.poll() is not None
        ]

    def last_line(self, name: str) -> str:
        """The last line of a child's log."""
        with contextlib.suppress(OSError):
            lines = (self._logs / f"{name}.log").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def memory(self) -> int:
        """Bytes of memory of all children, their children and this process (PSS where the system knows it)."""
        total = 0
        for process in [psutil.Process(), *self._tree()]:
            with contextlib.suppress(psutil.Error):
                info = process.memory_full_info()
                total += getattr(info, "pss", info.rss)
        return total

    def _tree(self) -> list[psutil.Process]:
        found = []
        for child in self._children.values():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(child.pid)
                found += [process, *process.children(recursive=True)]
        return found

    def end(self, name: str) -> None:
        """End one child politely, which is missed no more; if it does not, :meth:`stop` does it by force."""
        child = self._children.pop(name)
        with contextlib.suppress(OSError):
            child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._children[name] = child

    def stop(self) -> None:
        """End all: politely, then by force; also the children's children."""
        tree = self._tree()
        for child in self._children.values():
            with contextlib.suppress(OSError):
                child.terminate()
            if child.stdin is not None:
                with contextlib.suppress(OSError):
                    child.stdin.close()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.05, deadline - time.monotonic()))
        for process in tree:
            with contextlib.suppress(psutil.Error):
                if process.is_running():
                    process.kill()
        for child in self._children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(2.0)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C must not leave processes behind.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.stop()
        finally:
            signal.signal(signal.SIGINT, previous)
