"""Options of the commands that make invitations: ``gentorrent invite create`` at the server, ``gentorrent network
invite`` at the engine that hosts it."""

from __future__ import annotations

from typing import Annotated

import typer

HOUR, DAY = 3600.0, 86_400.0

Label = Annotated[str, typer.Option("--label", metavar="TEXT", help="For your own list: whom it is for.")]
Hours = Annotated[
    float,
    typer.Option("--hours", min=0.02, max=8760, metavar="H", help="It must be used for the first time within so long."),
]
MemberDays = Annotated[
    float,
    typer.Option("--member-days", min=0, max=36_500, metavar="D", help="The membership ends after so long; 0: never."),
]
BoundTo = Annotated[
    list[str] | None,
    typer.Option("--for", metavar="NODEID", help="Good for these ids only (twice; see gentorrent invite ids)."),
]
