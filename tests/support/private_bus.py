"""A D-Bus of one's own: a real dbus-daemon with services that a test plays."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

Answer = tuple[str, tuple[Any, ...]] | None
"""Signature and values; None: an error."""


class PrivateBus:
    """``answers`` by the name of a method, or of a property. ``silent``: nobody answers. ``askers``: the
    connections over which somebody asked."""

    def __init__(self, address: str, answers: dict[str, Answer]) -> None:
        self.address = address
        self.answers = answers
        self.silent = False
        self.asked: list[str] = []
        self.askers: set[str] = set()

    def serve(self, names: Sequence[str], ready: queue.Queue[bool]) -> None:
        """In a thread, until the bus ends."""
        with suppress(OSError), open_dbus_connection(self.address) as connection:
            for name in names:
                connection.send_and_get_reply(message_bus.RequestName(name))
            ready.put(True)
            while True:
                call = connection.receive()
                if call.header.message_type is not MessageType.method_call:
                    continue
                fields = call.header.fields
                member = str(call.body[1] if fields[HeaderFields.member] == "Get" else fields[HeaderFields.member])
                self.asked.append(member)
                self.askers.add(str(fields[HeaderFields.sender]))
                if self.silent:
                    continue
                answer = self.answers.get(member)
                told = new_error(call, "org.example.No") if answer is None else new_method_return(call, *answer)
                connection.send(told)


@contextmanager
def private_bus(answers: dict[str, Answer], names: Sequence[str], path: str = "") -> Iterator[PrivateBus]:
    """It runs, and has these services. ``path``: of its socket, if that matters."""
    where = [f"--address=unix:path={path}"] if path else []
    command = ["dbus-daemon", "--session", "--nofork", "--print-address", *where]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    serving: threading.Thread | None = None
    try:
        bus = PrivateBus(daemon.stdout.readline().strip(), answers)
        ready: queue.Queue[bool] = queue.Queue()
        serving = threading.Thread(target=bus.serve, args=(names, ready), daemon=True)
        serving.start()
        ready.get(timeout=60)
        yield bus
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()
        if serving is not None:
            serving.join(60)
