"""One engine per data directory, however the last one ended."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.errors import DataDirectoryLockedError, StorageError
from engine.storage.data_directory import DataDirectory, acquire_lock, load_api_token, read_lock

OWNER = """
import sys, time
from pathlib import Path
from engine.storage.data_directory import acquire_lock
with acquire_lock(Path(sys.argv[1])) as lock:
    lock.set_port(8765)
    print("locked", flush=True)
    time.sleep(50)
"""


def start_owner(path: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    return process


def test_the_lock_is_found_and_given_back(tmp_path):
    path = DataDirectory(tmp_path / "data").lock
    assert read_lock(path) is None
    with acquire_lock(path, ManualClock(123.0)) as lock:
        lock.set_port(8765)
        found = read_lock(path)
        assert found is not None
        assert (found.pid, found.port, found.started) == (os.getpid(), 8765, 123.0)
        assert found.control_token == lock.control_token
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_lock(path) is None
    lock.release()


def test_each_start_has_a_token_of_its_own(tmp_path):
    tokens = set()
    for _ in range(3):
        with acquire_lock(tmp_path / "engine.lock") as lock:
            tokens.add(lock.control_token)
    assert len(tokens) == 3
    assert all(len(token) >= 40 for token in tokens)


def test_a_second_engine_is_told_who_has_it_and_a_killed_one_frees_it(tmp_path):
    path = tmp_path / "engine.lock"
    process = start_owner(path)
    try:
        with pytest.raises(DataDirectoryLockedError, match=rf"process {process.pid}\b.*--data"):
            acquire_lock(path)
        found = read_lock(path)
        assert found is not None
        assert (found.pid, found.port) == (process.pid, 8765)
    finally:
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
    assert path.stat().st_size > 0
    assert read_lock(path) is None
    acquire_lock(path).release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        acquire_lock(tmp_path / "file" / "engine.lock")


def test_the_api_token_stays(tmp_path):
    path = DataDirectory(tmp_path).api_token
    token = load_api_token(path)
    assert load_api_token(path) == token
    assert len(token) >= 40
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short")
    with pytest.raises(StorageError, match="holds no token"):
        load_api_token(path)


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
def test_a_disk_that_knows_no_locks_is_told(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    path = DataDirectory(tmp_path).lock
    with acquire_lock(path):
        monkeypatch.setattr(fcntl, "flock", refuse)
        with pytest.raises(StorageError, match="No locks available"):
            read_lock(path)
        with pytest.raises(StorageError, match="No locks available"):
            acquire_lock(path)
