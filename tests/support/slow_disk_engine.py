"""``gentorrent`` as people run it, on a disk that takes its time for each file that is copied."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from engine.cli import main
from engine.library import keeping
from engine.library.part_file import copy_hashed
from engine.library.pins import PinnedFile

SECONDS = 2.0


def _slowly(source: Path, target: Path | None, told: Callable[[int], None]) -> PinnedFile:
    time.sleep(SECONDS)
    return copy_hashed(source, target, told)


if __name__ == "__main__":
    with patch.object(keeping, "copy_hashed", _slowly):
        main()
