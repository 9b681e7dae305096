"""Linux: who is at the machine, what fills its screen, whether the connection is metered, and processor power."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.clock import Clock
from engine.sensors.base import Fields, Sensor, Unmeasured, within
from engine.sensors.bus import Bus
from engine.sensors.x11 import X11, X11Error, XServer
from engine.sentences import say

RAPL = Path("/sys/class/powercap")
METERED = {1: True, 2: False, 3: True, 4: False}
"""NetworkManager's NMMetered: yes, no, and what it guesses; 0 is unknown."""
MICROSECONDS = 1e6
T = TypeVar("T")


def sensors(clock: Clock) -> list[Sensor]:
    """Those of Linux."""
    session, system, screen = Bus("SESSION"), Bus("SYSTEM"), XServer()
    return [
        Sensor("idle", lambda: idle(clock, session, system, screen), close=screen.close),
        Sensor("full_screen", lambda: full_screen(session, screen), close=session.close),
        Sensor("metered", lambda: metered(system), 10.0, close=system.close),
        Sensor("power", ProcessorPower(clock).read),
    ]


def idle(clock: Clock, session: Bus, system: Bus, screen: XServer) -> Fields:
    """Seconds since mouse or keyboard were used: what the X server, GNOME or logind says, the first that knows."""
    ways: tuple[Callable[[], float | None], ...] = (
        lambda: _idle_of_x11(screen),
        lambda: _idle_of_gnome(session),
        lambda: _idle_of_logind(clock, system),
    )
    for ask in ways:
        try:
            seconds = within(ask(), 0, 1e9)
        except (Unmeasured, TypeError, ValueError):
            continue
        if seconds is not None:
            return {"idle": seconds}
    raise Unmeasured(say("governor.no_idle"))


def _idle_of_x11(screen: XServer) -> float:
    if not os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        raise Unmeasured  # under Wayland the X server sees only what goes to its own windows
    return _asked(screen, X11.idle)


def _asked(screen: XServer, question: Callable[[X11], T]) -> T:
    try:
        return screen.ask(question)
    except (X11Error, OSError) as error:
        raise Unmeasured(say("governor.x_server", problem=str(error))) from error


def _idle_of_gnome(session: Bus) -> float | None:
    place = ("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core")
    return float(session.call(*place, "org.gnome.Mutter.IdleMonitor", "GetIdletime")) / 1000


def _idle_of_logind(clock: Clock, system: Bus) -> float | None:
    place = ("org.freedesktop.login1", "/org/freedesktop/login1/session/auto", "org.freedesktop.login1.Session")
    since = float(system.property_of(*place, "IdleSinceHintMonotonic"))
    if not since:
        raise Unmeasured  # no desktop has ever told it anything
    return clock.monotonic() - since / MICROSECONDS if system.property_of(*place, "IdleHint") else 0.0


def full_screen(session: Bus, screen: XServer) -> Fields:
    """Whether the window in front fills the screen, which a Wayland desktop tells nobody; and whether a game runs that
    has told GameMode, which is known there, too."""
    games = {"game": True} if _plays(session) else {}
    try:
        return {"full_screen": _fills_the_screen(screen), **games}
    except Unmeasured:
        if games:
            return games
        raise


def _plays(session: Bus) -> bool:
    place = ("com.feralinteractive.GameMode", "/com/feralinteractive/GameMode", "com.feralinteractive.GameMode")
    try:
        count = session.property_of(*place, "ClientCount")
    except Unmeasured:
        return False
    return isinstance(count, int) and count > 0


def _fills_the_screen(screen: XServer) -> bool:
    if os.environ.get("WAYLAND_DISPLAY"):
        raise Unmeasured(say("governor.wayland"))
    if not os.environ.get("DISPLAY"):
        raise Unmeasured(say("governor.no_display"))
    return _asked(screen, X11.full_screen)


def metered(system: Bus) -> Fields:
    """What NetworkManager says of the connection in use."""
    place = ("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager")
    said = system.property_of(*place, "Metered")
    if not isinstance(said, int) or said not in METERED:
        raise Unmeasured(say("governor.not_metered"))
    return {"metered": METERED[said]}


class ProcessorPower:
    """Watts of all processor packages, from their own energy counters (RAPL)."""

    def __init__(self, clock: Clock, folder: Path = RAPL) -> None:
        self._clock = clock
        self._folder = folder
        self._before: tuple[float, dict[str, float]] | None = None

    def read(self) -> Fields:
        """See ``Sensor``."""
        packages = sorted(self._folder.glob("*-rapl:[0-9]*"))
        now, joules = self._clock.monotonic(), {}
        for package in packages:
            if package.name.count(":") > 1:
                continue  # part of a package
            try:
                joules[package.name] = int((package / "energy_uj").read_text(encoding="ascii")) / MICROSECONDS
            except PermissionError:
                raise Unmeasured(say("governor.rapl_refused")) from None
            except (OSError, ValueError):
                continue
        if not joules:
            raise Unmeasured(say("governor.no_power"))
        before, self._before = self._before, (now, joules)
        if before is None or now <= before[0]:
            return {"power": None}
        used = sum(value - before[1][name] for name, value in joules.items() if name in before[1])
        return {"power": within(used / (now - before[0]), 0, 2000)}  # negative when a counter began anew
