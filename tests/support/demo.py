"""``gentorrent demo`` as a process of its own, and every process that it ever had."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.support.network import GENTORRENT, clean_environment, family

KEYS = {
    "answer", "model", "served_by", "paths", "n", "k", "ttft_ms", "tokens", "tokens_per_s", "receipt_verified",
    "transport", "nodes", "setup_s", "first_answer_s",
}  # fmt: skip
"""Of its JSON."""
CHEAT_KEYS = {
    "cheater", "excluded_at_epoch", "first_checked_epoch", "epoch_seconds", "honest_excluded", "asked_before",
    "asked_after",
}  # fmt: skip
"""And more of them where a node cheats."""


class Demo:
    """A running demo: what it wrote, and every process that it ever had."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.progress = folder / "progress"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        with self.output.open("wb") as output, self.progress.open("wb") as progress:
            self.child = subprocess.Popen(
                [GENTORRENT, "demo", *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=progress,
                env=clean_environment(TMPDIR=str(self.temporary)),
                start_new_session=True,
            )
        self.seen: set[int] = {self.child.pid}
        self.memory = 0
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._watching.wait(0.5):
            now = family(self.child.pid)
            self.seen |= now
            total = 0
            for pid in now:
                with suppress(psutil.Error):
                    info = psutil.Process(pid).memory_full_info()
                    total += getattr(info, "pss", info.rss)
            self.memory = max(self.memory, total)

    def told(self) -> str:
        """What it has written so far, to both streams."""
        return self.output.read_text() + self.progress.read_text()

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str]:
        """Wait until it has written this."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.told())) is None:
            assert self.child.poll() is None, self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)
        return found

    def wait_for_family(self, size: int, seconds: float) -> None:
        """Wait until it has so many processes."""
        deadline = time.monotonic() + seconds
        while len(self.seen) < size:
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> float:
        """Ctrl-C (or another signal); the seconds until it has ended."""
        self.seen |= family(self.child.pid)
        begun = time.monotonic()
        self.child.send_signal(number)
        self.child.wait(60)
        return time.monotonic() - begun

    def close(self) -> None:
        """End everything, whatever the test left."""
        self.seen |= family(self.child.pid)
        self._watching.set()
        self._thread.join(60)
        for pid in self.seen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(60)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Demo]:
    demo = Demo(folder, *options)
    try:
        yield demo
    finally:
        demo.close()
