"""``gentorrent demo``: a whole network on this machine, and one question through it."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.demo.cheats import CHEATS, NO_CHEAT
from engine.errors import ConfigurationError

QUESTION = "Who can read my question?"


def run(
    question: Annotated[str, typer.Option("--question", "-q", metavar="TEXT", help="What to ask.")] = QUESTION,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with the answer and what was measured.")
    ] = False,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Leave the network up after the answer and print its API address.")
    ] = False,
    api_port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="P", help="Port of the client's local API; 0: any free one.")
    ] = 0,
    cheat: Annotated[
        str,
        typer.Option(
            metavar="WAY",
            help="One model node cheats, until it is found out: smaller-model, quantised, wrong-temperature, "
            "ignored-seed or prefill-attack.",
        ),
    ] = NO_CHEAT,
) -> None:
    """Start a bootstrap server, 3 model nodes, 16 relays, 4 verifiers and a client here, and ask them a question.

    Every link is real WebRTC, on 127.0.0.1. Ctrl-C ends it all and leaves no process behind.
    """
    if not question.strip():
        raise ConfigurationError("--question is empty. Write a question, or leave the option out.")

    if cheat != NO_CHEAT and cheat not in CHEATS:
        raise ConfigurationError(
            f"--cheat {cheat[:60]!r} is no way of cheating that the demo knows. Choose one of {', '.join(CHEATS)}, or "
            f"{NO_CHEAT}."
        )

    from engine.demo.run import Options, run_demo

    raise typer.Exit(run_demo(Options(question, json_output, keep_running, api_port, cheat)))
