"""Desktops to sense: a real X server and real D-Bus daemons, with services that are played, and programs that rest."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Literal

from tests.support.private_bus import Answer, private_bus
from tests.support.x_screens import Screens

Kind = Literal["X11", "GNOME on Wayland", "another desktop on Wayland"]
KINDS: tuple[Kind, ...] = ("X11", "GNOME on Wayland", "another desktop on Wayland")
GNOME, GAMES = "org.gnome.Mutter.IdleMonitor", "com.feralinteractive.GameMode"
LOGIND, NETWORKS = "org.freedesktop.login1", "org.freedesktop.NetworkManager"


@contextmanager
def desktop(kind: Kind) -> Iterator[dict[str, str]]:
    """It runs; what programs have in their environment there."""
    session: dict[str, Answer] = {"ClientCount": _variant("i", 0), "GetIdletime": ("t", (61_500,))}
    names = (GNOME, GAMES) if kind == "GNOME on Wayland" else (GAMES,)
    system = {
        "Metered": _variant("u", 4),
        "IdleHint": _variant("b", True),
        "IdleSinceHintMonotonic": _variant("t", 1_000_000),
    }
    with ExitStack() as stack:
        display = stack.enter_context(x_server())
        stack.enter_context(_window_in_front(display))
        session_bus = stack.enter_context(private_bus(session, names))
        system_bus = stack.enter_context(private_bus(system, (LOGIND, NETWORKS)))
        yield {
            "DISPLAY": display,
            **({} if kind == "X11" else {"WAYLAND_DISPLAY": "wayland-0"}),
            "DBUS_SESSION_BUS_ADDRESS": session_bus.address,
            "DBUS_SYSTEM_BUS_ADDRESS": system_bus.address,
        }


def environment_of(there: Mapping[str, str]) -> dict[str, str]:
    """This process' own, with that desktop instead of the one that is here."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**kept, **there}


@contextmanager
def x_server() -> Iterator[str]:
    """Its display."""
    command = ["Xvfb", "-displayfd", "1", "-noreset", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.kill()


@contextmanager
def resting_programs(count: int) -> Iterator[tuple[int, ...]]:
    """So many processes that do nothing, as most of a desktop's."""
    running = [subprocess.Popen(["sleep", "7200"]) for _ in range(count)]
    try:
        yield tuple(one.pid for one in running)
    finally:
        for one in running:
            one.kill()
            one.wait()


@contextmanager
def _window_in_front(display: str) -> Iterator[None]:
    """As a window manager tells it; it does not fill the screen. The server forgets nothing when this leaves."""
    screens = Screens(display)
    try:
        screens.tell_active()
        yield
    finally:
        screens.close()


def _variant(signature: str, value: object) -> Answer:
    return "v", ((signature, value),)
