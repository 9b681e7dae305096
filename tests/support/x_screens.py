"""Screens of an X server that come and go as if they were plugged in and pulled out: monitors of its RANDR 1.5."""

from __future__ import annotations

import socket
import struct

_INTERN_ATOM, _QUERY_EXTENSION, _GET_FOCUS = 16, 98, 43
_SET_MONITOR, _DELETE_MONITOR = 43, 44
_CHANGE_PROPERTY = 18
_WINDOW, _ATOM = 33, 4
"""Kinds of values, which every server knows by these numbers."""


class Screens:
    """A connection to the server of ``display`` (":1") on this machine, which asks for no password."""

    def __init__(self, display: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(f"/tmp/.X11-unix/X{display.removeprefix(':')}")
        self._socket.sendall(struct.pack("=cxHHHHxx", b"l", 11, 0, 0, 0))
        accepted, _, _, _, length = struct.unpack("=BBHHH", self._read(8))
        setup = self._read(4 * length)
        if accepted != 1:
            raise OSError(f"the X server {display} refuses: {setup!r}")
        vendor, formats = struct.unpack_from("=H", setup, 16)[0], setup[21]
        self._root = struct.unpack_from("=I", setup, 32 + (vendor + 3) // 4 * 4 + 8 * formats)[0]
        self._randr = self._ask(_QUERY_EXTENSION, 0, self._text("RANDR"))[9]

    def add(self, name: str, x: int, y: int, width: int, height: int) -> None:
        """A screen at this place, with no device behind it."""
        monitor = struct.pack("=IBBHhhHHII", self._atom(name), 0, 0, 0, x, y, width, height, 340, 240)
        self._send(self._randr, _SET_MONITOR, struct.pack("=I", self._root) + monitor)
        self._ask(_GET_FOCUS, 0, b"")  # an error would come in its place

    def remove(self, name: str) -> None:
        """It is gone."""
        self._send(self._randr, _DELETE_MONITOR, struct.pack("=II", self._root, self._atom(name)))
        self._ask(_GET_FOCUS, 0, b"")

    def tell_active(self, *states: str) -> None:
        """As a window manager does: the root stands for the window in front, in these states."""
        self._change("_NET_ACTIVE_WINDOW", _WINDOW, self._root)
        self._change("_NET_WM_STATE", _ATOM, *map(self._atom, states))
        self._ask(_GET_FOCUS, 0, b"")

    def _change(self, name: str, kind: int, *values: int) -> None:
        head = struct.pack("=IIIBxxxI", self._root, self._atom(name), kind, 32, len(values))
        self._send(_CHANGE_PROPERTY, 0, head + struct.pack(f"={len(values)}I", *values))

    def close(self) -> None:
        """The screens stay."""
        self._socket.close()

    def _atom(self, name: str) -> int:
        return int(struct.unpack_from("=I", self._ask(_INTERN_ATOM, 0, self._text(name)), 8)[0])

    @staticmethod
    def _text(text: str) -> bytes:
        data = text.encode("ascii")
        return struct.pack("=Hxx", len(data)) + data + bytes(-len(data) % 4)

    def _send(self, request: int, minor: int, data: bytes) -> None:
        self._socket.sendall(struct.pack("=BBH", request, minor, 1 + len(data) // 4) + data)

    def _ask(self, request: int, minor: int, data: bytes) -> bytes:
        """The reply; requests without one have been done by then."""
        self._send(request, minor, data)
        while (reply := self._read(32))[0] > 1:  # an event
            pass
        if not reply[0]:
            raise OSError(f"the X server refuses a request: error {reply[1]}")
        return reply + self._read(4 * struct.unpack_from("=I", reply, 4)[0])

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self._socket.recv(length - len(data))
            if not part:
                raise OSError("the X server has gone")
            data += part
        return data
