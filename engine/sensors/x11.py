"""Two questions to an X server, in its own protocol: Xlib would end the process when the server goes away."""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

COOKIE = b"MIT-MAGIC-COOKIE-1"
SECONDS = 1.0
MOST_BYTES = 1 << 20
T = TypeVar("T")


class X11Error(Exception):
    """The server refuses, or does not speak as it should; for programmers, not for people."""


class XServer:
    """The server of this session: connected at the first question, and at the next one after a failure. Threads take
    turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._connection: X11 | None = None

    def ask(self, question: Callable[[X11], T]) -> T:
        """The answer; :class:`X11Error` or ``OSError``."""
        with self._turn:
            try:
                if self._connection is None:
                    self._connection = X11(os.environ)
                return question(self._connection)
            except (X11Error, OSError):
                self.close()
                raise

    def close(self) -> None:
        """End the connection; a question that is under way fails."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class X11:
    """A connection to the display that ``environment`` names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        display = re.fullmatch(r"(?:unix)?:(\d{1,5})(?:\.\d+)?", environment.get("DISPLAY", ""))
        if display is None:
            raise X11Error("no display of this machine")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(SECONDS)
        try:
            self._socket.connect(f"/tmp/.X11-unix/X{display[1]}")  # noqa: S108 - where X servers listen
            self.root = self._greet(cookie(environment, display[1].encode()))
            self._atoms: dict[bytes, int] = {}
            self._screen_saver = b""
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def idle(self) -> float:
        """Seconds since the last input, as the screen saver counts them."""
        if not self._screen_saver:
            name = b"MIT-SCREEN-SAVER"
            self._screen_saver = self._ask(98, 0, struct.pack("<HH", len(name), 0) + padded(name))
        if not self._screen_saver[8]:
            raise X11Error("no screen saver")
        return float(integer(self._ask(self._screen_saver[9], 1, struct.pack("<I", self.root)), 16)) / 1000

    def full_screen(self) -> bool:
        """Whether the active window fills the screen; needs a window manager that says so."""
        active = self._property(self.root, self._atom(b"_NET_ACTIVE_WINDOW"))
        if active is None:
            raise X11Error("no window manager that tells the active window")
        if not active or not active[0]:
            return False
        states = self._property(active[0], self._atom(b"_NET_WM_STATE")) or ()
        return self._atom(b"_NET_WM_STATE_FULLSCREEN") in states

    def _greet(self, secret: bytes) -> int:
        name = COOKIE if secret else b""
        start = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(secret))
        self._socket.sendall(start + padded(name) + padded(secret))
        head = self._read(8)
        rest = self._read(struct.unpack_from("<H", head, 6)[0] * 4)
        if head[0] != 1:
            raise X11Error("refused")
        if len(rest) < 32:
            raise X11Error("a short greeting")
        vendor = struct.unpack_from("<H", rest, 16)[0]
        return integer(rest, 32 + len(padded(bytes(vendor))) + 8 * rest[21])

    def _atom(self, name: bytes) -> int:
        if name not in self._atoms:  # a number that stays while the server runs
            self._atoms[name] = integer(self._ask(16, 0, struct.pack("<HH", len(name), 0) + padded(name)), 8)
        return self._atoms[name]

    def _property(self, window: int, name: int) -> tuple[int, ...] | None:
        reply = self._ask(20, 0, struct.pack("<IIIII", window, name, 0, 0, 64))
        if integer(reply, 8) == 0:
            return None
        count = min(integer(reply, 16), (len(reply) - 32) // 4)
        return struct.unpack_from(f"<{count}I", reply, 32) if reply[1] == 32 else ()

    def _ask(self, code: int, second: int, body: bytes) -> bytes:
        self._socket.sendall(struct.pack("<BBH", code, second, 1 + len(body) // 4) + body)
        while True:
            head = self._read(32)
            if head[0] == 0:
                raise X11Error(f"error {head[1]}")
            if head[0] == 1:
                return head + self._read(integer(head, 4) * 4)

    def _read(self, size: int) -> bytes:
        if size > MOST_BYTES:
            raise X11Error("too long")
        found = b""
        while len(found) < size:
            part = self._socket.recv(size - len(found))
            if not part:
                raise X11Error("the server has gone")
            found += part
        return found


def integer(data: bytes, place: int) -> int:
    """The number of four bytes at ``place``."""
    if place + 4 > len(data):
        raise X11Error("too short")
    return int.from_bytes(data[place : place + 4], "little")


def padded(data: bytes) -> bytes:
    """``data`` and zeros up to a multiple of four."""
    return data + bytes(-len(data) % 4)


def cookie(environment: Mapping[str, str], display: bytes) -> bytes:
    """The secret of this display from the user's file; empty if there is none."""
    path = environment.get("XAUTHORITY") or os.path.join(environment.get("HOME", ""), ".Xauthority")
    try:
        with Path(path).open("rb") as file:
            return cookie_of(file.read(MOST_BYTES), display)
    except OSError:
        return b""


def cookie_of(data: bytes, display: bytes) -> bytes:
    """The secret of ``display`` among the entries: a family, then address, number, name, and secret."""
    place = 0
    while place + 2 <= len(data):
        place += 2
        fields = []
        for _ in range(4):
            size = int.from_bytes(data[place : place + 2], "big")
            fields.append(data[place + 2 : place + 2 + size])
            place += 2 + size
        if fields[1] in (display, b"") and fields[2] == COOKIE and place <= len(data):
            return fields[3]
    return b""
