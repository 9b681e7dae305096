"""What the doctor of the engine finds about the connection, as the window shows it. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Signal

from app.i18n import mark, number, tr
from app.models.contribution_words import when_words
from app.models.engine_words import from_engine
from engine.api import schema

_REF = "doctor"
_ORDER = ("problem", "note", "good")
_STEPS = {
    "server": mark("Looking at the bootstrap server"),
    "login": mark("Logging in"),
    "ice": mark("Asking STUN and TURN servers"),
    "links": mark("Trying links to relays"),
    "bandwidth": mark("Measuring the bandwidth"),
}
STEPS = tuple(_STEPS)
_KINDS = {"bootstrap": mark("Bootstrap server"), "stun": mark("STUN server"), "turn": mark("TURN server")}
TONES = {"problem": "error", "note": "warning", "good": "good"}


class DoctorModel(QObject):
    """Fed with the engine's events; ``changed`` after each."""

    changed = Signal()

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.running = False
        self.step = ""
        self.result: schema.Examined | None = None
        self.problem = ""
        """Why nothing could be examined."""

    def examine(self, *, bandwidth: bool) -> None:
        """Begin; what was found before is forgotten."""
        if self.running:
            return
        self.running = self._send(schema.ExamineConnection(ref=_REF, bandwidth=bandwidth))
        self.problem = "" if self.running else tr("The engine does not run yet. Try again in a moment.")
        self.step = ""
        if self.running:
            self.result = None
        self.changed.emit()

    def connection_lost(self) -> None:
        """Nobody examines any more."""
        if self.running:
            self.running = False
            self.problem = tr("The engine ended meanwhile. Check again.")
            self.changed.emit()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.DoctorProgress(ref="doctor"):
                self.step = event.step
            case schema.Examined(ref="doctor"):
                self.running, self.result, self.problem = False, event, ""
            case schema.RequestFailed(ref="doctor"):
                self.running, self.problem = False, from_engine(event)
            case _:
                return
        self.changed.emit()

    @property
    def share(self) -> float:
        """How far it is, 0 to 1, by its steps."""
        return (STEPS.index(self.step) + 0.5) / len(STEPS) if self.step in STEPS else 0.0

    def line(self) -> tuple[str, str, str]:
        """(tone, state, reason) in one line."""
        if self.running:
            return "busy", tr(_STEPS.get(self.step, _STEPS["server"])), ""
        if self.problem:
            return "error", tr("The connection could not be checked"), self.problem
        if self.result is None:
            return "neutral", tr("Not checked yet"), ""
        problems = sum(one.status == "problem" for one in self.result.findings)
        if problems:
            return "error", tr("%Ln problem(s) found", "", problems), ""
        return "good", tr("All is well"), ""

    def findings(self) -> list[schema.Finding]:
        """What was found, what is wrong first."""
        found = self.result.findings if self.result is not None else ()
        return sorted(found, key=lambda one: _ORDER.index(one.status))

    def servers(self, network: schema.NetworkState) -> list[schema.ProbedServer]:
        """All servers that are known: as they were found, else as the engine knows them."""
        found = list(self.result.servers) if self.result is not None else []
        known = {one.address for one in found}
        told = []
        for url in filter(None, (network.bootstrap, *network.bootstrap_others)):
            used = network.bootstrap_connected and url == (network.bootstrap_used or network.bootstrap)
            told.append(schema.ProbedServer(kind="bootstrap", address=url, reached=used, used=used))
        if network.turn_server:
            told.append(schema.ProbedServer(kind="turn", address=network.turn_server, reached=True, used=True))
        found += [one for one in told if one.address not in known]
        return sorted(found, key=lambda one: ("bootstrap", "turn", "stun").index(one.kind))


def finding_words(one: schema.Finding) -> tuple[str, str, str]:
    """(what it is, what it means, what to do)."""
    change = from_engine(one, "change")
    return (
        from_engine(one, "found"),
        from_engine(one, "meaning"),
        tr("What to do: {change}", change=change) if change else "",
    )


def server_words(one: schema.ProbedServer, network: schema.NetworkState) -> tuple[str, str, str]:
    """(tone, what it is and where, how it is and since when)."""
    parts = []
    if one.used:
        parts.append(tr("in use"))
    if one.milliseconds:
        parts.append(tr("answers in {time} ms", time=number(round(one.milliseconds))))
    elif not one.reached:
        parts.append(
            from_engine(one, "problem")
            or (tr("used while the first does not answer") if one.address in network.bootstrap_others else "")
        )
    parts.extend(_since(one, network))
    tone = "good" if one.reached else "error" if one.problem else "neutral"
    return tone, f"{tr(_KINDS[one.kind])}: {one.address}", " · ".join(filter(None, parts))


def _since(one: schema.ProbedServer, network: schema.NetworkState) -> Iterator[str]:
    """Of the bootstrap server that is used or, while none is, was wanted first."""
    at = network.bootstrap_since
    if one.kind != "bootstrap" or not at:
        return
    if not network.bootstrap_connected and one.address == network.bootstrap:
        yield tr("not reached since {time}", time=when_words(at))
    elif network.bootstrap_connected and one.address == network.bootstrap_used:
        yield tr("connected since {time}", time=when_words(at))
        if network.listed_since:
            yield tr("this machine is listed there since {time}", time=when_words(network.listed_since))
