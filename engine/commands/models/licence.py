"""What the commands that fetch or import models show first: the licence with its text, to be accepted or not."""

from __future__ import annotations

import pydoc
import shutil
import sys
from typing import TYPE_CHECKING, Literal

import typer

from engine.commands.terminal import harmless
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.library.agreements import Agreements


def is_new(agreements: Agreements, model: str, terms: str) -> bool:
    """Whether the owner has not accepted these terms yet; says so where they have accepted other ones."""
    if agreements.known(model, terms):
        return False
    if agreements.any(model):
        typer.echo("This is another licence than the one that you have accepted.", err=True)
    return True


def ask(model: str, licence: str, file: str, text: str, what: Literal["download", "import"] = "download") -> None:
    """Show the text, in a pager where it is longer than the terminal; go on once it is accepted.
    :class:`ConfigurationError` where nobody can be asked."""
    _show(file, text)
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"The licence of {model} ({harmless(licence) or 'not stated'}) has to be accepted before the {what}. "
            "Read it, and add --yes."
        )
    if not typer.confirm(f"Accept this licence and {what}?", err=True):
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
