"""Cleans up after a benchmark that was killed: ``python -m engine.bench.forwarding.janitor FOLDER [PREFIX]``.

It waits for the end of its standard input, which closes with its parent however that went. Then it ends what is left in
every control group whose path begins with PREFIX, removes the groups, and FOLDER with all that is in it. Standard
library alone, so that it starts at once.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 3.0
"""Seconds until processes in a group are ended, and as long again until it is left alone."""
PAUSE = 0.05


def empty(group: Path, now: Callable[[], float], sleep: Callable[[float], None]) -> bool:
    """Remove the group when its processes have ended; end them where they take too long. False: it is still there."""
    begun = now()
    while group.exists():
        try:
            group.rmdir()
        except OSError:
            waited = now() - begun
            if waited > 2 * PATIENCE:
                return False
            if waited > PATIENCE:
                _end(group)
            sleep(PAUSE)
    return True


def _end(group: Path) -> None:
    with suppress(OSError, ValueError):
        for line in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(line), signal.SIGKILL)


def main() -> None:
    """Wait, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the benchmark, which closes the pipe
        signal.signal(number, signal.SIG_IGN)
    folder, *prefixes = map(Path, sys.argv[1:])
    while os.read(0, 4096):
        pass
    for prefix in prefixes:
        for group in prefix.parent.glob(f"{prefix.name}*"):
            empty(group, time.monotonic, time.sleep)
    begun = time.monotonic()
    while folder.exists() and time.monotonic() < begun + 2 * PATIENCE:  # processes without a group take a moment to end
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
