"""How much lies in a folder that may be a model's: somebody may have chosen a home folder, or the whole disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.errors import ModelFolderError
from engine.library.progress import Meter
from engine.sentences import say

MOST_FILES = 20_000
"""Files and folders in a model's folder, with everything that is no part of the model."""
MOST_FOLDERS_DEEP = 16
LONGEST_SECONDS = 60.0
_EVERY = 100


def check_no_disk(folder: Path) -> None:
    """``ModelFolderError`` for a whole disk."""
    if os.path.realpath(folder) == folder.anchor:  # unlike resolve() it has an answer for links in a circle
        raise ModelFolderError(say("import.whole_disk", folder=str(folder)))


def check_extent(folder: Path, meter: Meter) -> None:
    """``ModelFolderError`` for a folder that holds more than any model's. ``meter`` hears how many files were seen, and
    may raise to end this. Links to folders are not followed."""
    end = meter.now() + LONGEST_SECONDS
    seen = 0
    waiting = [(str(folder), 0)]
    while waiting:
        place, depth = waiting.pop()
        with suppress(PermissionError), os.scandir(place) as entries:
            for entry in entries:
                seen += 1
                if seen % _EVERY == 0:
                    meter.looked(seen)
                    if meter.now() > end:
                        seconds = round(LONGEST_SECONDS)
                        raise ModelFolderError(say("import.too_slow", folder=str(folder), seconds=seconds))
                if seen > MOST_FILES:
                    raise ModelFolderError(say("import.too_large", folder=str(folder), most=MOST_FILES))
                if entry.is_dir(follow_symlinks=False):
                    if depth >= MOST_FOLDERS_DEEP:
                        raise ModelFolderError(say("import.too_deep", folder=str(folder), most=MOST_FOLDERS_DEEP))
                    waiting.append((entry.path, depth + 1))
    meter.looked(seen)
