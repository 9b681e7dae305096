"""Questions to the desktop and the system over D-Bus: one connection to each bus, kept, and patience that ends."""

from __future__ import annotations

import threading
from typing import Any, Literal

from jeepney import DBusAddress, Message, MessageFlag, MessageType, new_method_call
from jeepney.bus import get_bus
from jeepney.io.blocking import DBusConnection, prep_socket

from engine.sensors.base import Unmeasured

SECONDS = 1.0
"""For which a connection, an answer, and one's turn are waited for."""


class _Connection(DBusConnection):  # type: ignore[misc]  # its types are not told
    """Even its greeting is not waited for without end."""

    def send_and_get_reply(self, message: Message, *, timeout: float | None = SECONDS) -> Message:
        return super().send_and_get_reply(message, timeout=SECONDS if timeout is None else timeout)


class Bus:
    """One bus, connected at the first question, and at the next one after a failure. No service is started by a
    question: who does not run has nothing to say. Threads take turns."""

    def __init__(self, kind: Literal["SESSION", "SYSTEM"]) -> None:
        self._kind = kind
        self._turn = threading.Lock()
        self._connection: _Connection | None = None

    def call(self, name: str, path: str, interface: str, method: str, signature: str = "", body: Any = ()) -> Any:
        """The first value of the reply. ``Unmeasured`` where there is no bus, nobody of that name, or no answer."""
        address = DBusAddress(path, bus_name=name, interface=interface)
        message = new_method_call(address, method, signature or None, body)
        message.header.flags |= MessageFlag.no_auto_start
        if not self._turn.acquire(timeout=SECONDS):
            raise Unmeasured
        try:
            reply = self._ask(message)
        finally:
            self._turn.release()
        if reply.header.message_type is MessageType.error or not reply.body:
            raise Unmeasured
        return reply.body[0]

    def property_of(self, name: str, path: str, interface: str, prop: str) -> Any:
        """The value of a property, without its signature."""
        variant = self.call(name, path, "org.freedesktop.DBus.Properties", "Get", "ss", (interface, prop))
        if not isinstance(variant, tuple) or len(variant) != 2:
            raise Unmeasured
        return variant[1]

    def close(self) -> None:
        """End the connection; a question that is under way fails."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, message: Message) -> Message:
        try:
            if self._connection is None:
                self._connection = _Connection(prep_socket(get_bus(self._kind), timeout=SECONDS))
            return self._connection.send_and_get_reply(message)
        except Exception as error:  # whatever a bus that is not there, or breaks, makes of it
            self.close()
            raise Unmeasured from error
