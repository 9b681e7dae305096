"""*Have the machine checked…* in the window with the real engine, up to what verifiers are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.views.confirm_dialog import ConfirmDialog
from engine.crypto.identity import node_id_of
from engine.ids import node_id_text
from tests.support.judged_network import judged_network, samples, wait_for_samples
from tests.support.network import Network
from tests.ui.conftest import Drive, open_window, until
from tests.ui.test_real_engine import OPTIONS
from tests.ui.test_real_network import ask

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Network]:
    with judged_network(tmp_path / "net") as network:
        network.until_served()
        yield network


def test_the_machine_that_answered_is_doubted(drive: Drive, judged: Network) -> None:
    async def scenario() -> None:
        node = judged.folder / "asking"
        async with open_window(node, None, *OPTIONS, "--no-relay", "--bootstrap", judged.address) as window:
            await until(lambda: any(one.route == "network" for one in window.status.models), 120)
            await until(lambda: max(model.nodes for model in window.status.state.models) == 2, 120)
            window.window.header.choose(next(one for one in window.status.models if one.route == "network"))
            await ask(window, "Who can read my question?")
            assert window.turn.state == "done", window.turn.problem
            window.view.who.click()
            check = window.view.details.check
            assert check is not None
            assert check.isEnabled()
            assert await asyncio.to_thread(samples, judged) == []
            check.click()
            await until(lambda: window.window.findChild(ConfirmDialog) is not None)
            window.window.findChild(ConfirmDialog).accept()
            notice = window.window.composer.notice
            await until(lambda: "handed in" in notice.whole_text.lower() and "being" not in notice.whole_text, 120)
            assert notice.whole_text.startswith("Handed in. 1 machine that signed may be checked sooner")
            (sample,) = await asyncio.to_thread(wait_for_samples, judged)
            assert node_id_text(node_id_of(sample.key)) == window.turn.done.served_by

    drive(scenario())
