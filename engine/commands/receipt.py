"""``gentorrent receipt``: check exported receipts without a network, and hand in one that is doubted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.chats_common import Data, Json, print_json, run
from engine.errors import ConfigurationError, ReceiptError

ReceiptFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help='A receipt, as "Save the receipt" in the window and "gentorrent chat --save-receipt" write it; - reads'
        " standard input.",
    ),
]

commands = typer.Typer(help="Check the receipt of an answer, or doubt it.", no_args_is_help=True)


@commands.callback()
def _receipt() -> None:
    """Check the receipt of an answer, or hand it in as doubtful."""


@commands.command()
def verify(
    file: ReceiptFile,
    network: Annotated[
        str | None, typer.Option(metavar="NETWORKID", help="The network it must belong to (64 digits 0-9 a-f).")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a receipt file: who signed what, and what that does not show. Exit code 1 when it does not hold."""
    from engine.clock import SystemClock
    from engine.verification.receipt_file import MAX_FILE, verify_export

    network_id = _network_id(network)
    data = _read(file, MAX_FILE)
    try:
        report = verify_export(data, network_id, SystemClock().wall())
    except ReceiptError as error:
        if json_output:
            typer.echo(json.dumps({"verified": False, "error": str(error)}))
        raise
    if json_output:
        told = {
            "verified": True,
            "network_id": report.network_id.hex(),
            "checked": report.checked,
            "not_checked": report.not_checked,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo("The receipt holds.")
    for sentence in report.checked:
        typer.echo(f"  checked      {sentence}")
    for sentence in report.not_checked:
        typer.echo(f"  not checked  {sentence}")


@commands.command()
def report(
    file: ReceiptFile,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Doubt an answer: have verifiers check sooner who signed its receipt.

    It is no evidence and changes no standing. Question and answer stay here,
    also where the file has them. Each receipt goes over anonymous paths to
    another model node, which brings it to the server. That node, the server
    and the verifiers learn which machine answered, when, with which model and
    how many tokens; not that it was you, unless your network asks directly:
    then that node sees your address. The machine that you doubt, if it gets
    to see the receipt, knows which question it was.
    """
    from engine.api import schema
    from engine.verification.receipt_file import MAX_FILE, without_openings

    receipt = without_openings(_read(file, MAX_FILE)).decode()
    told: schema.SampleReported = run(
        data, lambda client: client.ask(schema.ReportSample(receipt=receipt), schema.SampleReported)
    )
    if json_output:
        print_json({"machines": told.machines})
        return
    machines = "The machine" if told.machines == 1 else f"Each of the {told.machines} machines"
    typer.echo(f"Handed in. {machines} that signed may be checked sooner; nothing else follows from it.")


@commands.command()
def share(
    choice: Annotated[
        str | None, typer.Argument(metavar="on|off", help="What you choose; without it only what is chosen is told.")
    ] = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Let receipts of a few of your answers be handed in by themselves. Off until you say "on".

    Then 2 of 100 answers that other machines give you, by lot and at most 3 a
    day, have their receipt handed in as "report" does, so that verifiers look
    sooner at machines that serve users. The receipt alone is sent, never a word
    of question or answer: which machine answered, when, with which model and
    how many tokens. It goes within half an hour, always over anonymous paths,
    to another model node, which brings it to the server for the verifiers;
    they do not learn that it was you. The machine that answered, if it gets to
    see the receipt, knows which question it was.
    """
    from engine.api import schema

    if choice not in (None, "on", "off"):
        raise ConfigurationError(f'Say "on" or "off", not {choice!r}.')
    request = schema.GetSampleSharing() if choice is None else schema.ShareSamples(on=choice == "on")
    told: schema.SampleSharing = run(data, lambda client: client.ask(request, schema.SampleSharing))
    if json_output:
        shown = {"on": told.on, "percent": told.percent, "most_a_day": told.most_a_day, "today": told.today}
        print_json(shown)
    elif told.on:
        typer.echo(
            f"On: receipts of {told.percent} of 100 answers are handed in, at most {told.most_a_day} a day;"
            f" today {told.today}."
        )
    else:
        typer.echo("Off: receipts are handed in only where you do it yourself.")


def _network_id(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        network_id = bytes.fromhex(text)
    except ValueError:
        network_id = b""
    if len(network_id) != 32:
        raise ConfigurationError(f"--network is {text!r}, which is no network id. It has 64 digits 0-9 a-f.")
    return network_id


def _read(file: Path, limit: int) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(limit + 1)
        with file.open("rb") as opened:
            return opened.read(limit + 1)
    except OSError as error:
        raise ReceiptError(f"{file} cannot be read ({error.strerror}). Name a receipt file.") from error
