"""``gentorrent --self-test``, or ``gentorrent self-test``: does this installation work?"""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the steps.")] = False,
    window: Annotated[
        bool, typer.Option("--window", help="Open the window once, too; without a display, off screen.")
    ] = False,
) -> None:
    """Check that this installation works: an engine and its worker start and answer a question with the built-in model.

    It uses no network, and a data directory of its own that is deleted afterwards. Exit code 0 if all is well, else 1.
    """
    from engine.demo.self_test import self_test

    if not self_test(window, json_output):
        raise typer.Exit(1)
