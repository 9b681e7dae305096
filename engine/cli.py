"""The program ``gentorrent``: its commands, and how failures leave it.

Exit codes: 0 done, 1 failed, 2 bad usage (options, environment, settings file), 130 interrupted by Ctrl-C (``node`` and
``bootstrap``, whose regular end that is, exit with 0).
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from engine import __version__
from engine.commands import app as app_command
from engine.commands import (
    bench,
    bootstrap,
    calibrate,
    chat,
    chats,
    committee,
    contribute,
    demo,
    doctor,
    identity,
    invite,
    licences,
    models,
    network,
    node,
    receipt,
    self_test,
    sensors,
    simulate,
    verify_chain,
)
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError, GenTorrentError
from engine.sentences import SAY_WORDS, said_by, to_line

FAILED = 1
BAD_USAGE = 2
INTERRUPTED = 130

cli = typer.Typer(
    name="gentorrent",
    help="Open language models shared between computers: anonymous questions, verified answers.",
    epilog="Exit codes: 0 done, 1 failed, 2 bad usage, 130 interrupted by Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.command(name="app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    app_command.open_window
)
cli.command(name="node")(node.run)
cli.command(name="bootstrap")(bootstrap.run)
cli.command(name="chat")(chat.run)
cli.command(name="demo")(demo.run)
cli.command(name="doctor")(doctor.run)
cli.command(name="calibrate")(calibrate.run)
cli.add_typer(bench.commands, name="bench")
cli.add_typer(chats.commands, name="chats")
cli.add_typer(identity.commands, name="identity")
cli.add_typer(committee.commands, name="committee")
cli.add_typer(contribute.commands, name="contribute")
cli.add_typer(network.commands, name="network")
cli.add_typer(models.commands, name="models")
cli.add_typer(receipt.commands, name="receipt")
cli.add_typer(invite.commands, name="invite")
cli.command(name="sensors")(sensors.run)
cli.add_typer(simulate.commands, name="simulate")
cli.command(name="verify-chain")(verify_chain.run)
cli.command(name="licences")(licences.run)
cli.command(name="self-test")(self_test.run)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gentorrent {__version__}")
        raise typer.Exit


@cli.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; ``arguments`` default to the process's own.

    ``--self-test`` is another name of the command ``self-test``, for who tries an installation out.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["--self-test"]:
        arguments[0] = "self-test"
    try:
        cli(args=arguments, prog_name="gentorrent")
    except ConfigurationError as error:
        _exit(error, BAD_USAGE)
    except GenTorrentError as error:
        _exit(error, FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _exit(error: GenTorrentError, code: int) -> None:
    print(harmless(f"gentorrent: {error}"), file=sys.stderr)  # names from a hub may stand in it
    if os.environ.get(SAY_WORDS) and (line := to_line(said_by(error))):
        print(line, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
