"""Made-up data for the pictures of the page *Network*."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QWidget

from app.desktop import Desktop
from app.views.pages.network_page import NetworkPage
from engine.api import schema
from engine.sentences import say, together

DAY = 86_400.0
NOW = time.mktime((*time.localtime()[:3], 12, 0, 0, 0, 0, -1))
"""Noon of today, so that two pictures say the same."""
NETWORK_ID = "5f3c9a" * 10 + "07d1"
IDS = ("k7wq2mzt5pab3cx4", "fh3kq9dw7tmz2pab")
INVITATION = (
    "gentorrent-invite-" + "lTC2aHR0cDovLzE5Mi4xNjguMS4yMDo4OTAwMcQgj1iWU64W4ql1a7UwlA59dIsjeR9E34sI5TCAUbEZ" * 5
)


def hosting(private: bool = True, **fields: object) -> schema.Hosting:
    """What an engine says of the network that it hosts."""
    values: dict[str, object] = {
        "status": "running", "name": "Our house", "network_id": NETWORK_ID, "private": private,
        "url": "http://192.168.1.20:8900", "address": f"http://192.168.1.20:8900#{NETWORK_ID}",
        "local_address": "192.168.1.20", "ids": IDS,
        "invitations": (
            schema.HostedInvitation(invitation="01" * 16, status="in_use", own=True),
            schema.HostedInvitation(
                invitation="1a" * 16, label="Grandpa's laptop", status="expired", expires=NOW - DAY
            ),
            schema.HostedInvitation(
                invitation="7c" * 16, label="Ada's desktop", status="in_use", node="v5mzt2k7wq3cabpx",
                until=NOW + 30 * DAY,
            ),
            schema.HostedInvitation(
                invitation="9e" * 16, label="The machine in the attic", expires=NOW + 3 * DAY, bound=True
            ),
        ),
    }  # fmt: skip
    return schema.Hosting(**(values | fields))  # type: ignore[arg-type]


NONE = schema.Hosting(local_address="192.168.1.20", ids=IDS)
INVITED = schema.InvitationMade(
    ref="hosting", text=INVITATION,
    invitation=schema.HostedInvitation(invitation="9e" * 16, expires=NOW + 3 * DAY),
)  # fmt: skip


def examined() -> schema.Examined:
    """What an engine finds behind a strict router."""
    findings = (
        schema.Finding(id="bootstrap", status="good", found=say("doctor.server", name="open-lab", milliseconds=38)),
        schema.Finding(id="clock", status="good", found=say("doctor.clock")),
        schema.Finding(
            id="nat", status="problem",
            found=together(say("doctor.nat_strict"), say("doctor.seen", address="203.0.113.7")),
            meaning=say("doctor.nat_strict_alone_means"),
            change=together(say("doctor.nat_strict_do"), say("doctor.nat_strict_alone_do")),
        ),
        schema.Finding(
            id="links", status="note",
            found=say("doctor.links", opened=7, tried=8, seconds=1.4, direct=7, relayed=0),
            meaning=say("doctor.links_means"),
        ),
        schema.Finding(id="bandwidth", status="good", found=say("doctor.bandwidth", down=93, up=22, megabytes=2)),
        schema.Finding(
            id="ipv6", status="note", found=say("doctor.no_ipv6"), meaning=say("doctor.no_ipv6_means")
        ),
    )  # fmt: skip
    servers = (
        schema.ProbedServer(
            kind="bootstrap", address="https://bootstrap.example.org", reached=True, used=True, milliseconds=38
        ),
        schema.ProbedServer(kind="bootstrap", address="https://mirror.example.net", reached=False),
        schema.ProbedServer(kind="stun", address="stun:bootstrap.example.org:3478", reached=True, milliseconds=24),
        schema.ProbedServer(
            kind="turn", address="turns:turn.example.org:5349", reached=False, problem=say("probe.silent", seconds=1.8)
        ),
    )
    return schema.Examined(ref="doctor", healthy=False, findings=findings, servers=servers, report="{}")


def page_of(desktop: Desktop) -> NetworkPage:
    """The page, open."""
    desktop.window.open_page("network")
    page = desktop.window.page_widget("network")
    assert isinstance(page, NetworkPage)
    return page


def scroll_to(page: NetworkPage, find: Callable[[NetworkPage], QWidget]) -> None:
    """Show that part of the page at the top."""
    for _ in range(3):
        QApplication.processEvents()
    widget = find(page)
    content = page.widget()
    assert content is not None
    page.verticalScrollBar().setValue(widget.mapTo(content, widget.rect().topLeft()).y() - 24)
