"""The keyring of the operating system, where there is a real one that answers in time.

A keyring may be missing, locked, or waiting behind a dialog that nobody sees; none of that may keep an engine from
starting, so every call runs in a thread of its own and is given up after a few seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from engine.errors import KeyStoreError

SERVICE = "GenTorrent"
SWITCH = "GENTORRENT_KEYRING"
TIMEOUT_SECONDS = 5.0
T = TypeVar("T")


class Keyring(Protocol):
    """What we use of a ``keyring`` backend."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def find_keyring(environment: Mapping[str, str], timeout: float = TIMEOUT_SECONDS) -> Keyring | None:
    """The system's keyring, or None: switched off (``GENTORRENT_KEYRING=off``), absent, not real or silent.

    Not real are backends that keep nothing, keep plain text or fail on purpose: ``keyring`` gives them a priority
    below one.
    """
    if environment.get(SWITCH, "").strip().lower() in ("off", "0", "no", "false"):
        return None
    try:
        return with_timeout(_real_backend, timeout)
    except KeyStoreError:
        return None


def read(backend: Keyring, entry: str, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """The secret of ``entry``, None if there is none; ``KeyStoreError`` if the keyring fails or stays silent."""
    return with_timeout(lambda: backend.get_password(SERVICE, entry), timeout)


def write(backend: Keyring, entry: str, secret: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Keep ``secret`` and read it back; ``KeyStoreError`` if it did not arrive."""

    def store() -> bool:
        backend.set_password(SERVICE, entry, secret)
        return backend.get_password(SERVICE, entry) == secret

    if not with_timeout(store, timeout):
        raise KeyStoreError("The system's keyring did not keep what was given to it.")


def delete(backend: Keyring, entry: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Remove ``entry``; ``KeyStoreError`` if the keyring fails or stays silent."""
    with_timeout(lambda: backend.delete_password(SERVICE, entry), timeout)


def with_timeout(action: Callable[[], T], timeout: float) -> T:
    """Run ``action`` in a thread; ``KeyStoreError`` if it raises or takes longer than ``timeout`` seconds."""
    results: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as error:
            failures.append(error)

    # A daemon: a keyring that hangs for good must not keep the process alive either.
    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(timeout)
    if results:
        return results[0]
    if failures:
        raise KeyStoreError(f"The system's keyring failed ({type(failures[0]).__name__}).") from failures[0]
    raise KeyStoreError(f"The system's keyring did not answer within {timeout:.0f} s; is it locked?")


def _real_backend() -> Keyring | None:
    import keyring
    from keyring.backends import chainer

    backend = keyring.get_keyring()
    candidates = backend.backends if isinstance(backend, chainer.ChainerBackend) else [backend]
    return next((one for one in candidates if _is_real(one)), None)


def _is_real(backend: object) -> bool:
    kind = type(backend)
    if kind.__module__.startswith(("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")):
        return False
    priority = getattr(kind, "priority", 0)
    return isinstance(priority, int | float) and priority >= 1
