"""Invitations in the window with the real engine and a private network's real server: those for others and those that
have expired are refused in words, and a good one still joins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import SystemClock
from tests.support.network import Network, gentorrent
from tests.ui.conftest import Drive, Window, open_window, until
from tests.ui.models_looked_at import texts
from tests.ui.test_real_contributing import OPTIONS

SECONDS = 72.0
"""The shortest invitation that the command makes."""
CLOCK = SystemClock()
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path / "private") as made:
        made.found("--invited-only", "--hops", "0")
        made.until_served()
        yield made


async def join(window: Window, invitation: str, said: str) -> None:
    """Paste it into the page, join, and wait until the page says this."""
    window.window.open_page("network")
    page = window.window.page_widget("network")
    page.form.entry.setText(invitation)
    page.form.join.click()
    await until(lambda: any(said in text for text in texts(page)), 60)


def test_invitations_of_others_and_expired_ones_are_refused_in_words(
    drive: Drive, tmp_path: Path, network: Network
) -> None:
    expired, made = network.invite("--hours", f"{SECONDS / 3600}"), CLOCK.wall()
    other = gentorrent("invite", "ids", "--data", str(tmp_path / "other")).stdout.split()
    bound = network.invite("--for", other[0], "--for", other[1])
    good = network.invite()

    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--no-relay") as window:
            await until(lambda: window.status.state, 60)
            await join(window, bound, "was made for another machine")
            await until(lambda: CLOCK.wall() > made + SECONDS + 1, SECONDS + 10)
            await join(window, expired, "expired")  # within the skew of clocks it is the server that says so
            window.window.page_widget("network").leave.click()
            await until(lambda: window.status.state and window.status.state.network.status == "none", 60)
            await join(window, good, "")
            await until(lambda: window.status.state and window.status.state.network.bootstrap_connected, 60)

    drive(scenario())
