"""``gentorrent network``: the running engine's place in its network, and the network that it hosts, for scripts and
terminals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.api import schema
from engine.commands.chats_common import Data, Json, line, print_json, run
from engine.commands.invite_options import DAY, HOUR, BoundTo, Hours, Label, MemberDays
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

commands = typer.Typer(
    help="Show this machine's place in its network; host one, invite others, join one.", no_args_is_help=True
)
_SHORT = 8
NEXT_START = "This engine is in it from its next start on."
_STATES = {
    "none": "No network was made on this machine yet. Make one with: gentorrent network host --name NAME",
    "off": "The server does not run. Start it with: gentorrent network host",
    "starting": "The server is being started.",
    "running": "The server runs.",
    "elsewhere": "The server runs.",
    "failed": "The server does not run.",
}


@commands.callback()
def _network() -> None:
    """All of it is done by the running engine."""


@commands.command()
def show(data: Data = None, json_output: Json = False) -> None:
    """Show the links, paths and groups of this moment.

    It ties your questions to what this machine does for others: pass it on to nobody.
    """
    picture: schema.Topology = run(data, lambda client: client.ask(schema.WatchTopology(on=False), schema.Topology))
    if json_output:
        print_json(picture)
        return
    for text in _lines(picture):
        typer.echo(text)


def _lines(picture: schema.Topology) -> Iterator[str]:
    yield f"Links: {len(picture.links) + picture.links_left_out}"
    for link in picture.links:
        way = "through a TURN server" if link.relayed else "direct"
        purpose = "own questions" if link.holder == "client" else "for others"
        yield f"    {link.peer[:_SHORT]}  {_time(link.round_trip_ms):>8}  {way}, {purpose}"
    yield f"Paths: {len(picture.paths) + picture.paths_left_out}"
    for path in picture.paths:
        use = "spare" if path.use == "spare" else "of a chat, in use" if path.busy else "of a chat"
        yield f"    {' > '.join(relay[:_SHORT] for relay in path.relays)}  {_time(path.round_trip_ms)}  {use}"
    yield f"Group: {len(picture.members) + picture.members_left_out}"
    for member in picture.members:
        me = "  this machine" if member.here else ""
        standing = f"standing {member.standing:.2f}" if member.established else "newcomer"
        load = f"{member.running} of {member.slots} running, {member.waiting} waiting"
        yield f"    {member.node[:_SHORT]}  {line(member.model)}  {load}  {standing}{me}"


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds else "-"


@commands.command()
def host(
    name: Annotated[str, typer.Option(metavar="NAME", help="Make a network of this name first.")] = "",
    open_to_all: Annotated[
        bool, typer.Option("--open", help="With --name: everybody who has the address may join, not the invited only.")
    ] = False,
    reach: Annotated[
        Literal["machine", "local", "internet"],
        typer.Option(help="Who can reach it: this machine alone, its local network, or everybody (with --url)."),
    ] = "local",
    url: Annotated[
        str, typer.Option(metavar="URL", help="With --reach internet: where others reach this machine.")
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65_535, metavar="P", help="Port to listen on.")] = 8900,
    join: Annotated[bool, typer.Option("--join/--no-join", help="Be in it, too, from the next start on.")] = True,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Host a network: run its bootstrap server here, now and whenever the engine runs."""
    wish = schema.HostNetwork(name=name, private=not open_to_all, reach=reach, url=url, port=port, join=join)

    async def ask(client: ControlClient) -> schema.Hosting:
        if not name and (await client.ask(schema.GetHosting(), schema.Hosting)).status == "none":
            raise ConfigurationError(_STATES["none"])
        return await client.ask(wish, schema.Hosting)

    _print_hosting(run(data, ask), json_output)
    if join and not json_output:
        typer.echo(NEXT_START, err=True)


@commands.command()
def stop(data: Data = None, json_output: Json = False) -> None:
    """Stop the hosted server, also for later starts; what it has kept stays."""
    _print_hosting(run(data, lambda client: client.ask(schema.StopHosting(), schema.Hosting)), json_output)


@commands.command()
def hosted(data: Data = None, json_output: Json = False) -> None:
    """Show the network that is hosted here, and who is invited."""
    _print_hosting(run(data, lambda client: client.ask(schema.GetHosting(), schema.Hosting)), json_output)


@commands.command()
def invite(
    label: Label = "",
    hours: Hours = 72.0,
    member_days: MemberDays = 0.0,
    bound_to: BoundTo = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Print a new invitation to the hosted network, which admits one engine."""
    wish = schema.MakeInvitation(
        label=label[:100], seconds=hours * HOUR, member_seconds=member_days * DAY, bound=tuple(bound_to or ())[:2]
    )
    made: schema.InvitationMade = run(data, lambda client: client.ask(wish, schema.InvitationMade))
    if json_output:
        print_json(made)
        return
    typer.echo(made.text)
    typer.echo(
        f"Invitation {made.invitation.invitation[:_SHORT]} for one engine, to be used within {hours:g} h. Pass it on "
        "over a way that nobody else reads: who has it first joins.",
        err=True,
    )


@commands.command()
def revoke(
    invitation: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the first digits of it.")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """End an invitation and the membership that came of it."""
    wish = schema.RevokeInvitation(invitation=invitation[:32])
    _print_hosting(run(data, lambda client: client.ask(wish, schema.Hosting)), json_output)


@commands.command(name="join")
def join_network(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="An invitation, or the address of a network.")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Be in the network that an invitation or an address names, from the engine's next start on."""
    kept = run(data, lambda client: client.ask(schema.JoinNetwork(text=text[:10_000]), schema.NetworkKept))
    if json_output:
        print_json(kept)
        return
    typer.echo(line(kept.address))
    typer.echo(NEXT_START, err=True)


@commands.command()
def leave(data: Data = None, json_output: Json = False) -> None:
    """Be in no network from the engine's next start on."""
    kept: schema.NetworkKept = run(data, lambda client: client.ask(schema.LeaveNetwork(), schema.NetworkKept))
    if json_output:
        print_json(kept)
        return
    typer.echo("This engine is in no network from its next start on.", err=True)


def _print_hosting(hosting: schema.Hosting, as_json: bool) -> None:
    if as_json:
        print_json(hosting)
        return
    typer.echo(line(" ".join(filter(None, (_STATES[hosting.status], hosting.reason)))))
    if hosting.status == "none":
        return
    kind = "private" if hosting.private else "open"
    typer.echo(line(f"Network: {hosting.name} ({kind})"))
    typer.echo(line(f"Address: {hosting.address}"))
    for one in hosting.invitations:
        words = (one.invitation[:_SHORT], one.status.replace("_", " "), one.node[:_SHORT], one.label)
        typer.echo(line("  ".join(filter(None, words))) + ("  this machine" if one.own else ""))
