"""The network that this machine hosts, as the window shows it, and the owner's wishes about it. No widgets."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDateTime, QLocale, QObject, Signal

from app import i18n
from app.i18n import mark, tr
from app.models.engine_words import from_engine
from app.models.facts import Fact
from engine.api import schema

HOUR, DAY = 3600.0, 86_400.0
_REF = "hosting"
EXPIRIES = (
    (HOUR, mark("within an hour")),
    (DAY, mark("within a day")),
    (3 * DAY, mark("within three days")),
    (7 * DAY, mark("within a week")),
    (30 * DAY, mark("within 30 days")),
)
MEMBERSHIPS = (
    (0.0, mark("for good")),
    (DAY, mark("for a day")),
    (30 * DAY, mark("for 30 days")),
    (365 * DAY, mark("for a year")),
)
_STATES = {
    "off": mark("“{name}” is made, and its server does not run"),
    "starting": mark("“{name}” is being started"),
    "running": mark("“{name}” is hosted here"),
    "elsewhere": mark("“{name}” is hosted here"),
    "failed": mark("“{name}” cannot be hosted now"),
}
_TONES = {"off": "neutral", "starting": "busy", "running": "good", "elsewhere": "good", "failed": "error"}
_REACHES = {
    "machine": mark("This machine alone"),
    "local": mark("The local network"),
    "internet": mark("Everywhere"),
}
_INVITED = {
    "open": mark("not used yet, good until {when}"),
    "in_use": mark("joined"),
    "expired": mark("expired before it was used"),
    "ended": mark("its membership has ended"),
    "revoked": mark("revoked"),
}


def moment(seconds: float) -> str:
    """A time in seconds since 1970, for people."""
    when = QDateTime.fromSecsSinceEpoch(round(seconds))
    return QLocale(i18n.current()).toString(when, QLocale.FormatType.ShortFormat)


def expiry_choices() -> list[tuple[object, str]]:
    """Within which time an invitation must be used."""
    return [(seconds, tr(words)) for seconds, words in EXPIRIES]


def membership_choices() -> list[tuple[object, str]]:
    """How long one who is invited may stay."""
    return [(seconds, tr(words)) for seconds, words in MEMBERSHIPS]


def reach_choices(local_address: str) -> list[tuple[object, str]]:
    """From where a network can be joined."""
    local = tr("The local network ({address})", address=local_address) if local_address else tr(_REACHES["local"])
    return [("local", local), ("internet", tr("Everywhere, under an address")), ("machine", tr(_REACHES["machine"]))]


def who_choices() -> list[tuple[object, str]]:
    """Who may join."""
    return [(True, tr("Only whom I invite")), (False, tr("Everybody who has the address"))]


class HostingModel(QObject):
    """Fed with the engine's ``Hosting``; ``changed`` after each, and after a refusal."""

    changed = Signal()
    invited = Signal(object)
    """An invitation was made: its ``InvitationMade``, the only time that its text is told."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.now: schema.Hosting | None = None
        self.problem = ""
        """Why the last wish cannot be fulfilled."""
        self.busy = ""
        """The kind of wish that the engine has not answered yet."""

    @property
    def made(self) -> bool:
        """Whether a network was made on this machine."""
        return self.now is not None and self.now.status != "none"

    @property
    def runs(self) -> bool:
        """Whether others can reach it now."""
        return self.now is not None and self.now.status in ("starting", "running", "elsewhere")

    @property
    def ids(self) -> str:
        """Of this engine, for those who invite it."""
        return " ".join(self.now.ids) if self.now is not None else ""

    def host(self, name: str, *, private: bool, reach: schema.Reach, url: str, port: int) -> None:
        """Make a network and be in it."""
        wish = schema.HostNetwork(
            name=name.strip()[:200], private=private, reach=reach, url=url.strip()[:300], port=port, ref=_REF
        )
        self._wish("host", wish)

    def start(self) -> None:
        """Run the server of the network that was made."""
        now = self.now
        if now is not None:
            self._wish(
                "host",
                schema.HostNetwork(
                    private=now.private, reach=now.reach, url=now.url, port=now.port, join=False, ref=_REF
                ),
            )

    def stop(self) -> None:
        """End the server."""
        self._wish("stop", schema.StopHosting(ref=_REF))

    def invite(self, label: str, seconds: float, member_seconds: float, ids: str) -> None:
        """Make an invitation; ``ids``: for whom alone, as they were given, "" for whoever comes first."""
        bound = tuple(ids.replace(",", " ").split())[:2]
        wish = schema.MakeInvitation(
            label=label.strip()[:100], seconds=seconds, member_seconds=member_seconds, bound=bound, ref=_REF
        )
        self._wish("invite", wish)

    def revoke(self, invitation: str) -> None:
        """End an invitation and what came of it."""
        self._wish("revoke", schema.RevokeInvitation(invitation=invitation, ref=_REF))

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome():
                self._send(schema.GetHosting(ref=""))
                self.busy = ""
            case schema.Hosting():
                self.now = event
                if event.ref == _REF:
                    self.busy = self.problem = ""
            case schema.InvitationMade(ref="hosting"):
                self.busy = self.problem = ""
                self.invited.emit(event)
            case schema.RequestFailed(ref="hosting"):
                self.busy, self.problem = "", from_engine(event)
            case _:
                return
        self.changed.emit()

    def _wish(self, kind: str, request: schema.Request) -> None:
        sent = self._send(request)
        self.busy = kind if sent else ""
        self.problem = "" if sent else tr("The engine does not run yet. Try again in a moment.")
        self.changed.emit()

    def line(self) -> tuple[str, str, str]:
        """(tone, state, reason) of the network that was made."""
        now = self.now
        if now is None or now.status == "none":
            return "neutral", tr("No network is hosted here"), ""
        if self.busy == "host":
            return "busy", tr(_STATES["starting"], name=now.name), ""
        return _TONES[now.status], tr(_STATES[now.status], name=now.name), from_engine(now, "reason")

    def facts(self) -> list[Fact]:
        """What others need, and who may join."""
        now = self.now
        if now is None or now.status == "none":
            return []
        who = tr("Only whom you invite") if now.private else tr("Everybody who has the address")
        return [
            Fact(tr("Address"), now.url, now.address),
            Fact(tr("Who may join"), who),
            Fact(tr("Reachable from"), tr(_REACHES[now.reach])),
        ]


def invitation_words(one: schema.HostedInvitation) -> str:
    """How an invitation is."""
    words = [tr(_INVITED[one.status], when=moment(one.expires)) if one.status == "open" else tr(_INVITED[one.status])]
    if one.node:
        words.append(tr("machine {node}", node=one.node[:8]))
    if one.status == "in_use" and one.until:
        words.append(tr("member until {when}", when=moment(one.until)))
    if one.status == "open" and one.bound:
        words.append(tr("for one machine only"))
    return " · ".join(words)
