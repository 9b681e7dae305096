"""What the window keeps is for its owner alone, also on machines with several users."""

from __future__ import annotations

import os
from pathlib import Path


def make_directory(path: Path) -> None:
    """Make ``path`` and its parents, the last one for its owner alone."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def private(path: str, flags: int) -> int:
    """The ``opener`` of a file that others cannot read."""
    return os.open(path, flags, 0o600)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that others cannot read."""
    with open(path, "wb", opener=private) as file:
        file.write(content)
