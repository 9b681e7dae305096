"""Locks of the operating system on files: they end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

from engine.errors import ModelBusyError
from engine.storage.files import make_directory, storage_error

_LOCK_OFFSET = 1 << 30
"""Windows locks byte ranges against reading too, so the locked byte lies far behind the text."""

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int, shared: bool = False) -> bool:
        """Take the lock of an open file without waiting; False if another process has it."""
        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int, shared: bool = False) -> bool:
        """Take the lock of an open file without waiting; False if another process has it."""
        # Readers share, so that two of them do not take each other for an engine.
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True


@contextlib.contextmanager
def held_lock(path: Path) -> Iterator[bool]:
    """Hold the lock file ``path`` (made if need be, never deleted) inside the block; yields False if it is taken.

    ``StorageError`` if the file cannot be opened.
    """
    make_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise storage_error("open", path, error) from error
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def awaited_lock(path: Path, file: Path, seconds: float = 10.0) -> Iterator[None]:
    """Hold the lock file ``path`` inside the block, waiting for another process to finish its change of ``file``;
    ``ModelBusyError`` if it does not. Blocks: call it from a thread."""
    end = monotonic() + seconds
    while True:
        with held_lock(path) as mine:
            if mine:
                yield
                return
        if monotonic() > end:
            raise ModelBusyError(f"Another process keeps {file} locked. End it and try again.")
        sleep(0.05)
