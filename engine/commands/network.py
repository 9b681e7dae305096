"""``gentorrent network``: what this machine knows of its own links, paths and groups, for scripts and terminals."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from engine.api import schema
from engine.commands.chats_common import Data, Json, line, print_json, run

commands = typer.Typer(help="Show this machine's own links, paths and groups.", no_args_is_help=True)
_SHORT = 8


@commands.callback()
def _network() -> None:
    """What the running engine knows of its place in the network."""


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
