"""``gentorrent invite``: who may join a private network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.clock import SystemClock
from engine.commands.invite_options import DAY, HOUR, BoundTo, Hours, Label, MemberDays
from engine.commands.terminal import harmless
from engine.config import default_data_directory, find_data_directory, usable_directory
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.bootstrap.inviting import Inviting

commands = typer.Typer(help="Make, list and revoke invitations to a private network.", no_args_is_help=True)
ServerData = Annotated[
    Path | None,
    typer.Option(metavar="DIR", envvar="GENTORRENT_BOOTSTRAP_DATA", help="The bootstrap server's data directory."),
]


@commands.command()
def create(
    url: Annotated[str, typer.Option(metavar="URL", help="Address under which members reach the bootstrap server.")],
    label: Label = "",
    hours: Hours = 72.0,
    member_days: MemberDays = 0.0,
    bound_to: BoundTo = None,
    data: ServerData = None,
) -> None:
    """Print a new invitation, which admits one engine. The server may be running."""
    import asyncio

    from engine.directory.invite import to_text
    from engine.ids import parse_node_id
    from engine.transport.bootstrap_state import parse_bootstrap

    inviting = _inviting(data)
    network = inviting.network()
    address = parse_bootstrap(url)
    if address.network_id not in (None, network.network_id):
        raise ConfigurationError("--url names another network than the one in --data. Leave out the part after #.")
    bound = bound_to or []
    if len(bound) > 2:
        raise ConfigurationError("An engine has two ids, one as a node and one as a client; give --for at most twice.")
    try:
        ids = [parse_node_id(text) for text in bound]
    except ValueError as error:
        raise ConfigurationError(f"--for: {error}. gentorrent invite ids shows them on the other machine.") from error
    invitation = asyncio.run(
        inviting.make(address.url, label=label, seconds=hours * HOUR, member_seconds=member_days * DAY, bound=ids)
    )
    typer.echo(to_text(invitation))
    typer.echo(
        f"Invitation {invitation.grant.invite_id.hex()[:8]} for one engine, to be used within {hours:g} h. Pass it on "
        "over a way that nobody else reads: who has it first joins. There: gentorrent node --join INVITATION",
        err=True,
    )


@commands.command(name="list")
def list_invitations(
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
    data: ServerData = None,
) -> None:
    """Show all invitations, who uses them, and which are over."""
    import asyncio

    from engine.bootstrap.inviting import status_of
    from engine.ids import node_id_text

    inviting = _inviting(data)
    inviting.network()
    now = SystemClock().wall()
    invited = asyncio.run(inviting.list())
    if json_output:
        rows = [
            {
                "id": one.invite_id.hex(),
                "label": one.label,
                "status": status_of(one, now).replace("_", " "),
                "created": one.created,
                "expires": one.expires,
                "until": one.until,
                "bound": [node_id_text(name) for name in one.bound],
                "node": node_id_text(one.node) if one.node else None,
                "client": node_id_text(one.client) if one.client else None,
            }
            for one in invited
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    if not invited:
        typer.echo("There are no invitations yet. Make one with gentorrent invite create.", err=True)
    for one in invited:
        used = f"node {node_id_text(one.node)[:8]}" if one.node else "client" if one.client else ""
        status = status_of(one, now).replace("_", " ")
        typer.echo(harmless("  ".join(filter(None, (one.invite_id.hex()[:8], status, used, one.label)))))


@commands.command()
def revoke(
    invitation: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the first digits of it.")],
    data: ServerData = None,
) -> None:
    """End an invitation and the membership that came of it. A running server acts within a second."""
    import asyncio

    inviting = _inviting(data)
    inviting.network()
    revoked = asyncio.run(inviting.revoke(invitation))
    typer.echo(f"Invitation {revoked.invite_id.hex()[:8]} is revoked; who uses it is expelled.", err=True)


@commands.command()
def ids(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory of the engine. GENTORRENT_DATA.")
    ] = None,
) -> None:
    """Print this engine's two ids, for an operator who makes an invitation that is good for them alone.

    Whoever sees both knows that this node and this client are one machine, so tell them the operator alone.
    """
    from engine.ids import node_id_text
    from engine.storage.data_directory import DataDirectory
    from engine.storage.key_store import KeyStore

    directory = DataDirectory(find_data_directory(data, os.environ))
    directory.create()
    store = KeyStore(directory.keys, SystemClock())
    for name in ("identity", "client-identity"):
        typer.echo(node_id_text(store.identity(name).node_id))


def _inviting(data: Path | None) -> Inviting:
    from engine.bootstrap.inviting import Inviting

    return Inviting(usable_directory(data or default_data_directory() / "bootstrap"), SystemClock())
