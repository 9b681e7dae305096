"""``gentorrent app``: the window, a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import ResourceMissingError
from engine.programs import module_command


def open_window(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
    ] = None,
) -> None:
    """Open the window. It starts an engine, or adopts the one that runs.

    An engine that it starts takes the options of gentorrent node, too: --bootstrap, --join, --api-port,
    --contribute, --no-relay, --relay-bandwidth, --relayed-only, --max-tokens-per-second, --threads, --cache-memory and
    --log-level.
    """
    if importlib.util.find_spec("PySide6") is None:
        raise ResourceMissingError(
            "The window needs Qt, which this environment does not have. Everything else works without it. Install it "
            "with make setup, or use gentorrent chat."
        )
    environment = dict(os.environ)
    if data is not None:
        environment["GENTORRENT_DATA"] = str(data.expanduser().absolute())
    raise typer.Exit(_wait(subprocess.Popen(module_command("app", *context.args), env=environment)))  # noqa: S603


def _wait(window: subprocess.Popen[bytes]) -> int:
    """The window's exit code. Ctrl-C reaches the window too, which then stops its engine: that is waited for."""
    while True:
        try:
            return window.wait()
        except KeyboardInterrupt:
            continue
