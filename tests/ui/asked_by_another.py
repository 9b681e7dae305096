"""Another machine of a real network asks, and the one of a real window is who can answer."""

from __future__ import annotations

from app.views.pages.contribute_page import ContributePage
from tests.support.network import Answer, Network
from tests.ui.conftest import Window, until
from tests.ui.test_real_contributing import OPTIONS, switch_on

ASKING = "asking"
"""Who asks, as a node of the network."""
MINE = "mine"
"""The window's folder there."""
MODEL = "my-model"
RATE = 2
"""Tokens per second that the window's machine writes at most: so there is a middle of its answers."""
LONG = 400
"""Tokens of an answer that it would write for minutes."""


def options(network: Network) -> tuple[str, ...]:
    """Of the window's engine."""
    return (*OPTIONS, "--no-relay", "--bootstrap", network.address, "--max-tokens-per-second", str(RATE))


async def contribute(window: Window, page: ContributePage) -> None:
    """The owner chooses the model and turns the switch."""
    await until(lambda: page.choice.findText(MODEL) >= 0)
    page.choice.chosen.emit(MODEL)
    await until(lambda: window.status.contribution.now.rules.model == MODEL)
    await switch_on(window, page)


def begun(network: Network, tokens: int = LONG) -> Answer:
    """An answer of the one machine that has the model, which has got to its second piece of text."""
    until_served_by(network, 1)
    return ask(network, tokens).read(2)


def ask(network: Network, tokens: int) -> Answer:
    """A question whose answer has so many tokens."""
    lengths = {"min_tokens": tokens, "max_tokens": tokens}
    return Answer(network.openai(ASKING), "Who are you?", model=MODEL, temperature=1.0, seed=7, **lengths)


def until_served_by(network: Network, count: int) -> None:
    """Wait until who asks knows that so many machines have the model; 0: nobody."""
    network.wait(ASKING, lambda state: sum(one.nodes for one in state.models if one.id == MODEL) == count, 90)
