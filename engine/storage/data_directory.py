"""The data directory: where everything of one engine lies, and the lock that keeps a second engine out.

Which directory it is, ``engine.config`` decides (``--data``, ``GENTORRENT_DATA``, platformdirs).

The lock file ``engine.lock`` (0600) is JSON: process id, API port, control token, time of start. It doubles as
discovery for the app and the command line. What keeps a second engine out is a lock of the operating system on that
file, not its existence: it ends with the process, however the process ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.clock import Clock, SystemClock
from engine.errors import DataDirectoryLockedError, StorageError
from engine.sentences import say
from engine.storage.file_lock import try_lock
from engine.storage.files import make_directory, read_limited, storage_error, write_atomically

_ATTEMPTS = 10
_ATTEMPT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Names of everything in a data directory; nothing exists before :meth:`create`."""

    path: Path

    def create(self) -> None:
        """Make the folder (0700) if it is not there; ``StorageError`` if it cannot be made."""
        make_directory(self.path)

    @property
    def lock(self) -> Path:
        return self.path / "engine.lock"

    @property
    def api_token(self) -> Path:
        return self.path / "api-token"

    @property
    def keys(self) -> Path:
        """The key file (``engine.storage.key_store``)."""
        return self.path / "keys"

    @property
    def networks(self) -> Path:
        """One folder per network id: genesis, last good directory, guards."""
        return self.path / "networks"

    @property
    def receipts(self) -> Path:
        return self.path / "receipts"

    @property
    def chats(self) -> Path:
        """The owner's chats (``engine.chats``)."""
        return self.path / "chats.db"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def published(self) -> Path:
        """Manifests of published models, and what the owner thinks of their publishers."""
        return self.path / "published"

    @property
    def publisher_keys(self) -> Path:
        """The key file of a publisher; nothing but publishing opens it, so no engine that runs writes over it."""
        return self.path / "publisher-keys"

    @property
    def logs(self) -> Path:
        return self.path / "logs"


class LockContent(msgspec.Struct, frozen=True):
    """What stands in ``engine.lock``. ``port`` is 0 until the local API listens."""

    pid: int
    port: int
    control_token: str
    started: float


class EngineLock:
    """This process owns the data directory until ``release`` or its end. Use as a context manager."""

    def __init__(self, path: Path, descriptor: int, content: LockContent) -> None:
        self._path = path
        self._descriptor = descriptor
        self.content = content

    @property
    def control_token(self) -> str:
        return self.content.control_token

    def set_port(self, port: int) -> None:
        """Write the port of the local API for those who look for this engine; ``StorageError`` if the disk refuses."""
        content = msgspec.structs.replace(self.content, port=port)
        _write(self._path, self._descriptor, content)
        self.content = content

    def release(self) -> None:
        """Empty the file and let others in; harmless when called twice."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> EngineLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def acquire_lock(path: Path, clock: Clock | None = None, port: int = 0) -> EngineLock:
    """Take the lock file ``path`` for this process, with a new control token.

    Raises :class:`DataDirectoryLockedError`, which names the owner, if another process has it, and ``StorageError`` if
    the folder cannot be written.
    """
    make_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise storage_error("open", path, error) from error
    try:
        # A reader that looks whether the lock is held has it for a moment itself, hence more than one attempt.
        for attempt in range(_ATTEMPTS):
            if try_lock(descriptor):
                break
            if attempt + 1 == _ATTEMPTS:
                raise DataDirectoryLockedError(_locked_text(path))
            time.sleep(_ATTEMPT_SECONDS)
        content = LockContent(os.getpid(), port, secrets.token_urlsafe(32), (clock or SystemClock()).wall())
        _write(path, descriptor, content)
    except OSError as error:
        os.close(descriptor)
        raise storage_error("lock", path, error) from error
    except BaseException:
        os.close(descriptor)
        raise
    return EngineLock(path, descriptor, content)


def read_lock(path: Path) -> LockContent | None:
    """Who runs on this data directory now: None if nobody does (a file left by a killed engine counts as nobody)."""
    for _ in range(_ATTEMPTS):
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("read", path, error) from error
        try:
            if try_lock(descriptor, shared=True):
                return None
        except OSError as error:
            raise storage_error("lock", path, error) from error
        finally:
            os.close(descriptor)
        content = _read(path)
        if content is not None:
            return content
        time.sleep(_ATTEMPT_SECONDS)  # its owner is writing it
    return None


def load_api_token(path: Path) -> str:
    """The token that other programs show to the local API: made once, kept in a 0600 file."""
    data = read_limited(path, 1024)
    if data is not None:
        token = data.decode("ascii", "replace").strip()
        if len(token) < 20 or not token.isascii() or not token.isprintable():
            raise StorageError(say("storage.no_token", path=str(path)))
        return token
    token = secrets.token_urlsafe(32)
    write_atomically(path, token.encode("ascii") + b"\n")
    return token


def _locked_text(path: Path) -> str:
    content = _read(path)
    owner = say("start.process", number=str(content.pid)) if content is not None else say("start.another")
    return say("start.locked", owner=owner, folder=str(path.parent))


def _read(path: Path) -> LockContent | None:
    data = read_limited(path, 4096)
    if not data:
        return None
    try:
        return msgspec.json.decode(data, type=LockContent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write(path: Path, descriptor: int, content: LockContent) -> None:
    """In place: a rename would leave the lock on a file that no longer has this name."""
    data = msgspec.json.encode(content) + b"\n"
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, data)
        os.fsync(descriptor)
    except OSError as error:
        raise storage_error("write", path, error) from error


__all__ = [
    "DataDirectory",
    "EngineLock",
    "LockContent",
    "acquire_lock",
    "load_api_token",
    "read_lock",
]
