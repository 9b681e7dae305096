"""Made-up data for the pictures of the page *Network*."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QWidget

from app.desktop import Desktop
from app.views.pages.network_page import NetworkPage
from engine.api import schema

DAY = 86_400.0
NETWORK_ID = "5f3c9a" * 10 + "07d1"
IDS = ("k7wq2mzt5pab3cx4", "fh3kq9dw7tmz2pab")
INVITATION = (
    "gentorrent-invite-" + "lTC2aHR0cDovLzE5Mi4xNjguMS4yMDo4OTAwMcQgj1iWU64W4ql1a7UwlA59dIsjeR9E34sI5TCAUbEZ" * 5
)


def hosting(private: bool = True, **fields: object) -> schema.Hosting:
    """What an engine says of the network that it hosts."""
    now = 60 * round(time.time() / 60)
    values: dict[str, object] = {
        "status": "running", "name": "Our house", "network_id": NETWORK_ID, "private": private,
        "url": "http://192.168.1.20:8900", "address": f"http://192.168.1.20:8900#{NETWORK_ID}",
        "local_address": "192.168.1.20", "ids": IDS,
        "invitations": (
            schema.HostedInvitation(invitation="01" * 16, status="in_use", own=True),
            schema.HostedInvitation(
                invitation="1a" * 16, label="Grandpa's laptop", status="expired", expires=now - DAY
            ),
            schema.HostedInvitation(
                invitation="7c" * 16, label="Ada's desktop", status="in_use", node="v5mzt2k7wq3cabpx",
                until=now + 30 * DAY,
            ),
            schema.HostedInvitation(
                invitation="9e" * 16, label="The machine in the attic", expires=now + 3 * DAY, bound=True
            ),
        ),
    }  # fmt: skip
    return schema.Hosting(**(values | fields))  # type: ignore[arg-type]


NONE = schema.Hosting(local_address="192.168.1.20", ids=IDS)
INVITED = schema.InvitationMade(
    ref="hosting", text=INVITATION,
    invitation=schema.HostedInvitation(invitation="9e" * 16, expires=60 * round(time.time() / 60) + 3 * DAY),
)  # fmt: skip


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
