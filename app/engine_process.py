"""The engine as a child process of the window, made so that it outlives a window that crashes or closes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from app.private_files import make_directory, private
from engine.programs import module_command
from engine.sentences import SAY_WORDS, from_lines, said_again, words_of

STOP_SECONDS = 5.0
"""For a clean end after SIGTERM; then it is killed."""
POLL_SECONDS = 0.05
ENGINE_INPUT: int | None = subprocess.DEVNULL
"""Standard input of an engine; None: the window's own, a pipe that closes with whoever started both."""
MAX_LAST_WORDS = 16_384
"""Bytes at the end of the engine's output that are looked at for the reason of its death."""
_MOST_SAID = 600


def engine_command(data_directory: Path, options: Sequence[str]) -> list[str]:
    """The command line of an engine of this same installation."""
    return module_command("engine.cli", "node", "--data", str(data_directory), *options)


class EngineProcess:
    """At most one child at a time. Its output goes to ``log``, written anew at each start."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the child that runs, or None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def use_command(self, command: Sequence[str]) -> None:
        """The command line of the next child."""
        self._command = list(command)

    def start(self, *extra: str) -> None:
        """Start the child with ``extra`` arguments. ``OSError`` when the log or the program cannot be opened."""
        make_directory(self._log.parent)
        with open(self._log, "wb", opener=private) as output:
            self._process = _spawn([*self._command, *extra], output)

    def exit_code(self) -> int | None:
        """Of the child that was started last; None while it runs or when there is none."""
        return None if self._process is None else self._process.poll()

    def last_words(self) -> str:
        """The last line that the child wrote, without the program's name before it, with its codes if it told them;
        empty when there is none."""
        try:
            with self._log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - MAX_LAST_WORDS))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        said = from_lines([line.removeprefix("gentorrent: ") for line in lines])
        return said_again(said[:_MOST_SAID], words_of(said))

    async def wait(self, seconds: float) -> bool:
        """Whether the child has ended within ``seconds``; True when there is none."""
        try:
            async with asyncio.timeout(seconds):
                while self.pid is not None:  # noqa: ASYNC110 - a process has no event to wait for
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End the child, by force if it does not go."""
        if self._process is None or self.pid is None:
            return
        self._process.terminate()
        if not await self.wait(STOP_SECONDS):
            self._process.kill()
            await self.wait(STOP_SECONDS)


def _spawn(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """A child that gets no signal of the window's terminal and keeps none of its handles."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
        command,
        stdin=ENGINE_INPUT,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=flags,
        env={**os.environ, SAY_WORDS: "1"},
    )
