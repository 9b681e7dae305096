"""What the commands of ``gentorrent models`` share: options, names, progress on the terminal."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.clock import SystemClock
from engine.commands.terminal import harmless
from engine.config import find_data_directory
from engine.errors import UnknownModelError

if TYPE_CHECKING:
    from engine.library.catalogue import CatalogueModel
    from engine.library.fit import Machine
    from engine.library.folders import ModelsFolder
    from engine.library.progress import Meter, Progress

Data = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_STAGES = {
    "checking": "looking at what is here",
    "downloading": "fetching",
    "copying": "copying",
    "reading": "checking",
    "installing": "putting in place",
    "done": "done",
}


def data_directory(data: Path | None) -> Path:
    """The data directory of the options; need not exist."""
    return find_data_directory(data, os.environ)


def models_folder(data: Path | None) -> ModelsFolder:
    """The models of the data directory."""
    from engine.library.folders import ModelsFolder
    from engine.storage.data_directory import DataDirectory

    directory = data_directory(data)
    return ModelsFolder(DataDirectory(directory).models, lambda: _limit(directory))


def _limit(directory: Path) -> int | None:
    """Bytes that the owner's rules allow for models."""
    from engine.governor.rules import Rules
    from engine.storage.state import load_state

    rules = load_state(directory / "rules.json", Rules)
    return None if rules is None or rules.disk_gigabytes is None else round(rules.disk_gigabytes * 1e9)


def this_machine(data: Path | None, measure: bool = False) -> Machine:
    """What this machine has; ``measure``: the speed of its memory anew."""
    from engine.library.machine import look

    cache = models_folder(data).path / ".machine.json"
    return look(cache, SystemClock().monotonic, measure=measure)


def split_variant(model: str, option: str | None) -> tuple[str, str]:
    """``NAME:VARIANT`` and ``--variant`` as one."""
    name, _, variant = model.partition(":")
    return name, option or variant


def unknown(name: str, models: Sequence[CatalogueModel]) -> UnknownModelError:
    """What to do about a name that stands nowhere."""
    close = difflib.get_close_matches(name, [one.id for one in models], n=3, cutoff=0.5)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    return UnknownModelError(
        f"The catalogue has no model {name[:100]!r}. {meant}List it with: gentorrent models search. Any other model of "
        "the hub is named by its repository, OWNER/NAME."
    )


@contextmanager
def shown_progress(quiet: bool = False) -> Iterator[Meter]:
    """A meter that draws bars on a terminal, prints one line per stage elsewhere, and nothing if ``quiet``."""
    from engine.library.progress import Meter

    now = SystemClock().monotonic
    if quiet:
        yield Meter(lambda _: None, now)
    elif sys.stderr.isatty():
        with _Bars() as bars:
            yield Meter(bars.show, now)
    else:
        yield Meter(_Lines().show, now)


class _Lines:
    def __init__(self) -> None:
        self._told: set[str] = set()

    def show(self, progress: Progress) -> None:
        """One line for every stage and every trouble."""
        lines = [_STAGES[progress.stage]]
        lines += [f"{one.name}: {one.note}" for one in progress.files if one.note]
        for line in lines:
            if line not in self._told and len(self._told) < 1000:
                self._told.add(line)
                print(harmless(line), file=sys.stderr, flush=True)


class _Bars:
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            Speed(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=Console(stderr=True, markup=False))
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """A bar for every file of some size, and one for all."""
        from rich.progress import TaskID

        rows = [(one.name, one.done, one.total, one.note) for one in progress.files if one.total >= 1_000_000]
        looked = f"{progress.looked:,} files" if progress.stage == "checking" and progress.looked else ""
        rows.append((_STAGES[progress.stage], progress.done, progress.total, looked))
        for place, (name, done, total, note) in enumerate(rows):
            key = "all" if place + 1 == len(rows) else name
            text = harmless(f"{name}  {note}" if note else name)
            shown = text if len(text) <= 60 else f"…{text[-59:]}"
            if key not in self._tasks:
                self._tasks[key] = int(self._bars.add_task(shown, total=total))
            self._bars.update(TaskID(self._tasks[key]), description=shown, completed=done, total=total)
