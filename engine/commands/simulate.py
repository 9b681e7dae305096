"""``gentorrent simulate``: networks larger than one machine can hold, computed instead of run."""

from __future__ import annotations

import typer

commands = typer.Typer(
    help="Compute how a large network behaves, with the code that real nodes run.", no_args_is_help=True
)


@commands.callback()
def _group() -> None:
    """Keep its commands below ``simulate`` also while there is only one."""
