"""``gentorrent simulate days``: what the governor does on days that are played to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PAGE = "contributors-days.md"


def run(
    json: Annotated[bool, typer.Option("--json", help="Print every change as JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=f"Write the page to FOLDER/{PAGE}, too.")
    ] = None,
) -> None:
    """Days of a contributor in accelerated time: games, battery, schedule, limits, clock changes.

    Prints when contributing pauses and goes on, for which reasons, and until when. Takes a few seconds.
    """
    from engine.simulation.owner_day import STORIES, as_text, lines

    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / PAGE).write_text(as_text(), encoding="utf-8")
    if json:
        import msgspec

        typer.echo(msgspec.json.encode({story.title: lines(story) for story in STORIES}).decode())
    else:
        typer.echo(as_text(), nl=False)
