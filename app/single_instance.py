"""One window for each data directory: a second start brings the first one to the front and ends.

A lock file in the data directory decides who is first; the operating system frees it when the holder dies, however it
dies. The second reaches the first through a local socket that only this user can open.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.private_files import make_directory

LOCK_NAME = "window.lock"
ANSWER_MILLISECONDS = 2000
"""Within which the first window must take the message."""
MAX_MESSAGE = 4096
MOST_CALLERS = 16
LONGEST_PATH = 100
"""Bytes of a socket's path; systems take 104 to 108."""
_ACTIVATION = "XDG_ACTIVATION_TOKEN"
"""Wayland lets a window come to the front only with a token that the user's click gave to the second start."""


class SingleInstance(QObject):
    """Either the first (:meth:`claim` is true; ``wanted`` says that another start wants the window) or not."""

    wanted = Signal()

    def __init__(self, data_directory: Path) -> None:
        super().__init__()
        self._directory = data_directory
        self._lock = QLockFile(str(data_directory / LOCK_NAME))
        self._lock.setStaleLockTime(0)  # never by age: a window may be open for months
        self._callers: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)

    def claim(self) -> bool:
        """Whether this is the first window of the data directory. A directory that cannot be written to is no reason
        to open none: the engine will say what is wrong with it."""
        try:
            make_directory(self._directory)
        except OSError:
            return True
        if not self._lock.tryLock(0):
            return self._lock.error() != QLockFile.LockError.LockFailedError
        name = _address(self._directory)
        QLocalServer.removeServer(name)  # of a window that crashed
        self._server.listen(name)
        return True

    def call_first(self) -> bool:
        """Ask the first window to come to the front. False when it does not take the message."""
        socket = QLocalSocket()
        socket.connectToServer(_address(self._directory))
        if not socket.waitForConnected(ANSWER_MILLISECONDS):
            return False
        token = os.environ.get(_ACTIVATION, "")
        socket.write(f"show {token[:200]}\n".encode())
        taken = socket.waitForBytesWritten(ANSWER_MILLISECONDS) and socket.waitForReadyRead(ANSWER_MILLISECONDS)
        socket.disconnectFromServer()
        return bool(taken)

    def release(self) -> None:
        """Let the next start be the first."""
        self._server.close()
        for caller in self._callers:
            caller.abort()
        self._callers.clear()
        self._lock.unlock()

    def _connected(self) -> None:
        while (caller := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= MOST_CALLERS:
                caller.abort()
                caller.deleteLater()
                continue
            caller.setReadBufferSize(MAX_MESSAGE)
            self._callers.append(caller)
            caller.readyRead.connect(self._read)
            caller.disconnected.connect(self._forget)

    def _read(self) -> None:
        for caller in list(self._callers):
            if caller.canReadLine():
                self._take(bytes(caller.readLine().data()).decode("utf-8", "replace").split())
                caller.write(b"ok\n")
                caller.flush()
            elif caller.bytesAvailable() >= MAX_MESSAGE:
                caller.abort()

    def _take(self, words: list[str]) -> None:
        if words[:1] == ["show"]:
            if len(words) == 2:
                os.environ[_ACTIVATION] = words[1]
            self.wanted.emit()
            os.environ.pop(_ACTIVATION, None)

    def _forget(self) -> None:
        gone = [caller for caller in self._callers if caller.state() == QLocalSocket.LocalSocketState.UnconnectedState]
        for caller in gone:
            self._callers.remove(caller)
            caller.deleteLater()


def _address(directory: Path) -> str:
    """Of the local socket, by directory: in a folder that is this user's alone where the path is not too long."""
    digest = hashlib.sha256(str(directory.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    name = f"gentorrent-window-{digest}"
    if sys.platform == "win32":
        return name
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), str(directory)):
        path = f"{folder}/{name}"
        if folder and len(os.fsencode(path)) <= LONGEST_PATH and os.path.isdir(folder):
            return path
    return name  # Qt makes it in the folder for temporary files
