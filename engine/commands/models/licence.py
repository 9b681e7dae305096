"""What the commands that fetch models show first: the licence with its text, to be accepted or not."""

from __future__ import annotations

import pydoc
import shutil
import sys

import typer

from engine.commands.terminal import harmless
from engine.errors import ConfigurationError

CHANGED = "This is another licence than the one that you have accepted."


def ask(model: str, licence: str, file: str, text: str) -> None:
    """Show the text, in a pager where it is longer than the terminal; go on once it is accepted.
    :class:`ConfigurationError` where nobody can be asked."""
    _show(file, text)
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"The licence of {model} ({harmless(licence) or 'not stated'}) has to be accepted before the download. "
            "Read it, and add --yes."
        )
    if not typer.confirm("Accept this licence and download?", err=True):
        raise typer.Exit(1)


def _show(file: str, text: str) -> None:
    if not file:
        typer.echo("No text of a licence comes with it.", err=True)
        return
    if not text:
        typer.echo(harmless(f"The text of its licence, {file}, is too long to be shown here."), err=True)
        return
    whole = harmless(f"{file}:\n\n{text}\n")
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
    if terminal and whole.count("\n") >= shutil.get_terminal_size().lines - 2:
        pydoc.pager(whole)
    else:
        typer.echo(whole, err=True)
