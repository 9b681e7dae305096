"""``gentorrent doctor``: what is wrong with this machine's connection, and what to change."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.terminal import harmless
from engine.config import load_configuration

if TYPE_CHECKING:
    from engine.api.schema import Finding
    from engine.config import Configuration
    from engine.doctor.facts import Facts

STEPS = {
    "server": "the bootstrap server",
    "login": "logging in",
    "ice": "STUN and TURN servers",
    "links": "links to relays",
    "bandwidth": "bandwidth (2 MB)",
}
SIGNS = {"good": "ok", "note": "note", "problem": "PROBLEM"}


def run(
    bootstrap: Annotated[
        str | None,
        typer.Option(metavar="URL[#NETWORKID]", help="The network to examine; else the configured or running one."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory of the engine. GENTORRENT_DATA.")
    ] = None,
    bandwidth: Annotated[
        bool, typer.Option("--bandwidth/--no-bandwidth", help="Measure bandwidth; that moves 2 MB.")
    ] = True,
    turn_ca: Annotated[
        str | None, typer.Option(metavar="FILE", help="Certificates to trust for TURN over TLS, in PEM form.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find out why links fail: router, firewall, STUN and TURN, clock, bootstrap server, bandwidth.

    Works with or without a running engine and changes nothing. Exit code 0: all is well, 1: something is wrong, 2: bad
    usage. The output has this machine's public address in it; look before you post it.
    """
    import asyncio

    from engine.doctor.findings import is_healthy, judge
    from engine.doctor.report import report

    options = {"bootstrap": bootstrap, "data_directory": data, "turn_ca": turn_ca}
    configuration = load_configuration(options, os.environ)
    facts = asyncio.run(_examine(configuration, bandwidth, quiet=json_output))
    findings = judge(facts)
    healthy = is_healthy(findings)
    if json_output:
        typer.echo(json.dumps(report(facts, findings), indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            _print(finding)
        problems = sum(finding.status == "problem" for finding in findings)
        typer.echo("All is well." if healthy else f"{problems} problem{'s' * (problems > 1)} found.")
    raise typer.Exit(0 if healthy else 1)


def _print(finding: Finding) -> None:
    typer.echo(harmless(f"{SIGNS[finding.status]:8} {finding.found}"))
    for text in (finding.meaning, finding.change and f"What to do: {finding.change}"):
        if text:
            typer.echo(harmless(f"         {text}"))


async def _examine(configuration: Configuration, bandwidth: bool, *, quiet: bool) -> Facts:
    from engine.clock import SystemClock
    from engine.doctor.report import look

    def progress(step: str) -> None:
        if not quiet:
            typer.echo(f"looking at: {STEPS[step]} …", err=True)

    return await look(configuration, SystemClock(), progress, bandwidth=bandwidth)
