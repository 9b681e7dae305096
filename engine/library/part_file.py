"""Files while they arrive: written in order, hashed on the way, put in place when the hash is right.

What has arrived lies beside the target as ``NAME.<first digits of what it should be>.part``, so that a later run goes
on with it only if the hub still means the same content. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from engine.errors import DiskFullError, StorageError
from engine.library.pins import PinnedFile
from engine.library.selection import HubFile
from engine.library.sizes import gigabytes
from engine.sentences import say, together
from engine.storage.files import storage_error

CHUNK = 1 << 20
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file has to be; ``pinned``: SHA-256 of an earlier download, which counts before the hub's word."""

    file: HubFile
    pinned: str

    @property
    def digest(self) -> str:
        return self.pinned or self.file.identity

    def wrong(self, sha256: str, git_id: str) -> str | None:
        """What was found in the place of what should be; None if nothing is wrong."""
        if self.pinned and sha256 != self.pinned:
            return sha256
        if self.file.sha256:
            return None if sha256 == self.file.sha256 else sha256
        return None if not self.file.git_id or git_id == self.file.git_id else git_id


class _Digests:
    """SHA-256, and what git calls the same bytes, where only that is known."""

    def __init__(self, file: HubFile) -> None:
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False) if file.git_id else None

    def update(self, data: bytes) -> None:
        self._sha256.update(data)
        if self._git is not None:
            self._git.update(data)

    def values(self) -> tuple[str, str]:
        return self._sha256.hexdigest(), self._git.hexdigest() if self._git is not None else ""


class PartFile:
    """What has arrived of one file. Opened and closed once, from any thread; nothing is written after :meth:`close`,
    which may come before or during :meth:`open`: who waits for a thread may be cancelled while the thread goes on.
    """

    def __init__(self, target: Path, wanted: Wanted) -> None:
        self._target = target
        self._wanted = wanted
        self.file = wanted.file
        name = (wanted.digest or "unknown")[:16]
        self.part = target.with_name(f"{target.name}.{name}.part")
        self.digests, self.length = _Digests(self.file), 0
        self._stream: io.FileIO | None = None
        self._lock = Lock()
        self._closed = False

    def open(self) -> None:
        """Make the file, or hash what is there already."""
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            for other in self._target.parent.glob(f"{_escaped(self._target.name)}.*.part"):
                if other != self.part:
                    other.unlink()
            stream = io.FileIO(os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+")
            with ExitStack() as unless_kept:
                unless_kept.callback(stream.close)
                self._begin(stream)
                with self._lock:
                    if not self._closed:
                        self._stream = stream
                        unless_kept.pop_all()
        except OSError as error:
            raise storage_error("write", self.part, error) from error

    def _begin(self, stream: io.FileIO) -> None:
        if stream.seek(0, os.SEEK_END) > self.file.size:
            stream.truncate(0)
        stream.seek(0)
        while not self._closed and (data := stream.read(CHUNK)):
            self.digests.update(data)
            self.length += len(data)

    def restart(self) -> None:
        """Forget what is there."""
        with self._lock:
            if self._stream is not None:
                self._stream.seek(0)
                self._stream.truncate(0)
                self.digests, self.length = _Digests(self.file), 0

    def write(self, data: bytes) -> None:
        """Append; nothing is written after :meth:`close`."""
        with self._lock:
            if self._stream is None:
                return
            try:
                view = memoryview(data)
                while view:
                    view = view[self._stream.write(view) :]
            except OSError as error:
                raise _disk_error(self.part, error, self.file.size - self.length) from error
            self.digests.update(data)
            self.length += len(data)

    def finish(self) -> PinnedFile | str:
        """Put a file with the right content in place. A wrong one is deleted, and its hash returned."""
        with self._lock:
            stream, self._stream, self._closed = self._stream, None, True
            assert stream is not None, "only an open file can be finished"
            sha256, git_id = self.digests.values()
            found = self._wanted.wrong(sha256, git_id)
            try:
                with stream:
                    if found is None:
                        os.fsync(stream.fileno())
                if found is None:
                    self.part.replace(self._target)
                else:
                    self.part.unlink()
            except OSError as error:
                raise _disk_error(self.part, error) from error
        return PinnedFile(self.file.size, sha256, self.file.identity) if found is None else found

    def close(self) -> None:
        """Keep what is there."""
        with self._lock:
            stream, self._stream, self._closed = self._stream, None, True
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def hashed_if_whole(target: Path, wanted: Wanted) -> PinnedFile | None:
    """A file that an earlier run completed; None, and the file gone, if it is not what it should be."""
    try:
        if target.is_symlink() or not target.is_file():
            return None
        digests = _Digests(wanted.file)
        with target.open("rb") as stream:
            if stream.seek(0, os.SEEK_END) != wanted.file.size:
                return None
            stream.seek(0)
            while data := stream.read(CHUNK):
                digests.update(data)
        sha256, git_id = digests.values()
        if wanted.wrong(sha256, git_id) is None:
            return PinnedFile(wanted.file.size, sha256, wanted.file.identity)
        target.unlink()
    except OSError as error:
        raise storage_error("read", target, error) from error
    return None


def git_id_of(path: Path) -> str:
    """What git calls a file's content; ``StorageError``."""
    try:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        with path.open("rb") as stream:
            while data := stream.read(CHUNK):
                digest.update(data)
    except OSError as error:
        raise storage_error("read", path, error) from error
    return digest.hexdigest()


def copy_hashed(source: Path, target: Path | None, told: Callable[[int], None]) -> PinnedFile:
    """Size and SHA-256 of a file, read once; with ``target`` also a copy of it, flushed to the disk.

    ``told`` hears how many bytes are done. ``StorageError`` names the file that cannot be read or written.
    """
    digest, done = hashlib.sha256(), 0
    part = target.with_name(f"{target.name}.part") if target else None
    try:
        with source.open("rb") as stream, ExitStack() as stack:
            if part is not None:
                part.parent.mkdir(parents=True, exist_ok=True)
                copy = stack.enter_context(part.open("wb"))
            while data := stream.read(CHUNK):
                digest.update(data)
                if part is not None:
                    copy.write(data)
                done += len(data)
                told(done)
            if part is not None:
                copy.flush()
                os.fsync(copy.fileno())
        if part is not None and target is not None:
            part.replace(target)
    except OSError as error:
        if part is not None and error.errno in _FULL:
            raise _disk_error(part, error) from error
        raise storage_error("copy" if target else "read", source, error) from error
    return PinnedFile(done, digest.hexdigest())


def _disk_error(part: Path, error: OSError, missing: int = 0) -> StorageError:
    """``missing``: bytes of the file that have not arrived."""
    if error.errno in _FULL:
        return DiskFullError(
            together(
                say("download.disk_full", file=part.name.removesuffix(".part")),
                say("download.disk_missing", missing=gigabytes(missing)) if missing else "",
                say("download.kept"),
            )
        )
    return storage_error("write", part, error)


def _escaped(name: str) -> str:
    """For glob."""
    return re.sub(r"([*?\[\]])", r"[\1]", name)
