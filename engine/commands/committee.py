"""``gentorrent committee``: who verifies in a network, and how its members' owners agree on others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.identity import BootstrapOption, DataOption
from engine.config import load_configuration
from engine.errors import ConfigurationError, VerificationError

if TYPE_CHECKING:
    import aiohttp

    from engine.crypto.identity import Identity
    from engine.directory.genesis import GenesisRecord
    from engine.verification.chain.state import ChainState
    from engine.wire.blocks import CommitteeChange

commands = typer.Typer(help="Who verifies in a network, and changes of it.", no_args_is_help=True)
Slower = tuple[tuple[str, tuple[tuple[bytes, int], ...]], ...]
"""Nodes (their ids as text); of each the marks of models and tokens a second."""
KEY = re.compile(r"[0-9a-f]{64}")
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One change and the members whose owners want it."""

    add: tuple[bytes, ...]
    remove: tuple[bytes, ...]
    by: tuple[bytes, ...]
    until: int  # epoch


@dataclass(frozen=True, slots=True)
class _Committee:
    """As the newest certified block says; ``state`` has its members and when they were named, and no standings."""

    genesis: GenesisRecord
    state: ChainState
    epoch: int
    wanted: tuple[_Wanted, ...]
    slower: Slower = ()  # who reads slower than it says

    @property
    def quorum(self) -> int:
        from engine.verification.members import quorum

        return quorum(len(self.state.members))


@commands.callback()
def _committee() -> None:
    """Who verifies in a network, and changes of it."""


@commands.command()
def status(bootstrap: BootstrapOption = None, data: DataOption = None, json_output: JsonOption = False) -> None:
    """Print the committee's keys, the changes that are wanted, and which nodes it has found slower than they say."""
    url, network_id = _address(bootstrap, data)
    found = _run(lambda session: _read(session, url, network_id))
    _tell(found, json_output)


@commands.command()
def propose(
    add: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A key that shall be in the committee (up to 4 times).")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A key that shall leave it (up to 4 times).")
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Want no change any more.")] = False,
    days: Annotated[int, typer.Option(min=1, max=90, help="For how long you want it.")] = 14,
    bootstrap: BootstrapOption = None,
    data: DataOption = None,
    json_output: JsonOption = False,
) -> None:
    """Say, with this machine's key, what change of the committee you want. An engine may be running.

    It is made by the next block once the owners of a quorum of members want the very same one: the same keys added in
    the same order, the same ones removed. What you said before is replaced.
    """
    if bool(add or remove) == withdraw:
        raise ConfigurationError("Name a change with --add KEY or --remove KEY, or give --withdraw alone.")
    come, gone = _keys(add, "--add"), _keys(remove, "--remove")
    url, network_id = _address(bootstrap, data)
    identity = _identity(data)

    async def say(session: aiohttp.ClientSession) -> _Committee:
        from engine.transport.chain_http import send_record
        from engine.verification.signing import sign_record
        from engine.wire.codec import encode

        found = await _read(session, url, network_id)
        change = _change(found, identity, come, gone, days)
        await send_record(session, url, "/v1/changes", encode(sign_record(identity, change)))
        return await _read(session, url, network_id)

    _tell(_run(say), json_output)


# ------------------------------------------------------------------------------------------------------- what is given


def _address(bootstrap: str | None, data: object) -> tuple[str, bytes]:
    from engine.transport.bootstrap_state import parse_bootstrap

    text = load_configuration({"bootstrap": bootstrap, "data_directory": data}, os.environ).bootstrap
    if not text:
        raise ConfigurationError("Which network? Give its server's address with --bootstrap URL#NETWORKID.")
    address = parse_bootstrap(text)
    if address.network_id is None:
        raise ConfigurationError("A committee is that of a genesis: give the whole address, URL#NETWORKID.")
    return address.url, address.network_id


def _keys(given: list[str] | None, option: str) -> tuple[bytes, ...]:
    from engine.wire.blocks import MAX_CHANGES

    for text in given or ():
        if KEY.fullmatch(text) is None:
            raise ConfigurationError(
                f"{option} wants a verifier's key, 64 digits 0-9 a-f, and got {text[:80]!r}. On its machine, gentorrent"
                " identity show --key prints it."
            )
    if len(given or ()) > MAX_CHANGES:
        raise ConfigurationError(f"{option} can be given {MAX_CHANGES} times; make another change behind this one.")
    return tuple(bytes.fromhex(text) for text in given or ())


def _identity(data: object) -> Identity:
    from engine.clock import SystemClock
    from engine.storage.data_directory import DataDirectory
    from engine.storage.key_store import KeyStore

    directory = load_configuration({"data_directory": data}, os.environ).data_directory
    return KeyStore(DataDirectory(directory).keys, SystemClock()).identity()


def _change(
    found: _Committee, identity: Identity, add: tuple[bytes, ...], remove: tuple[bytes, ...], days: int
) -> CommitteeChange:
    """What is to be signed; :class:`VerificationError` where it could not be made, or is not this machine's to want."""
    from engine.clock import SystemClock
    from engine.verification.chain.claims import changed_members
    from engine.verification.epochs import epoch_at
    from engine.wire.blocks import CommitteeChange

    state, wall = found.state, SystemClock().wall()
    if identity.public_key not in state.members:
        raise VerificationError(
            f"This machine's key {identity.public_key.hex()} is not in the committee, so its owner has no say in it."
            " Run the command where a verifier runs, or name its folder with --data."
        )
    change = CommitteeChange(
        network_id=state.network_id,
        member=identity.public_key,
        since=state.changes[-1] if state.changes else 0,
        until=epoch_at(state.genesis, wall + days * 86_400),
        issued=int(wall),
        add=add,
        remove=remove,
    )
    if add or remove:
        changed_members(state.members, change)
    return change


# -------------------------------------------------------------------------------------------------------- what is there


def _run(read: Callable[[aiohttp.ClientSession], Awaitable[_Committee]]) -> _Committee:
    """With a session of its own."""
    import asyncio

    from engine.transport.bootstrap_http import http_session

    async def run() -> _Committee:
        async with http_session() as session:
            return await read(session)

    return asyncio.run(run())


async def _read(session: aiohttp.ClientSession, url: str, network_id: bytes) -> _Committee:
    """The committee of the newest block that the server shows, checked from the genesis on."""
    from engine.clock import SystemClock
    from engine.directory.genesis import from_file
    from engine.ids import NetworkId, node_id_text
    from engine.transport.chain_http import ChainReader, followed_standings
    from engine.verification.chain.state import first_state
    from engine.verification.epochs import epoch_at

    reader = ChainReader(session, url)
    genesis = from_file(await reader.genesis(), NetworkId(network_id))
    if not genesis.genesis.committee_keys:
        raise VerificationError(f'The network "{genesis.genesis.name}" has no committee, and can get none.')
    state = first_state(genesis)
    slower: Slower = ()
    if await reader.height():
        _, checked = await followed_standings(reader.read, genesis)
        changes = (checked.since,) if checked.since else ()
        state = replace(state, height=checked.height, epoch=checked.epoch, members=checked.members, changes=changes)
        slower = tuple((node_id_text(node), one.slower) for node, one in checked.nodes.items() if one.slower)
    epoch = epoch_at(genesis.genesis, SystemClock().wall())
    return _Committee(genesis, state, epoch, _wanted(state, epoch, await reader.changes()), slower)


def _wanted(state: ChainState, epoch: int, records: Sequence[bytes]) -> tuple[_Wanted, ...]:
    """What counts of all that is wanted, by change; what most members want first."""
    from engine.errors import WireError
    from engine.verification.chain.claims import open_change
    from engine.wire.signed import signed_record_decoder

    found: dict[tuple[tuple[bytes, ...], tuple[bytes, ...]], list[CommitteeChange]] = {}
    for record in records:
        try:
            _, change = open_change(signed_record_decoder.decode(record), state, epoch)
        except (VerificationError, WireError):
            continue  # of an earlier committee, or too old
        if change.add or change.remove:
            found.setdefault((change.add, change.remove), []).append(change)
    wanted = [
        _Wanted(add, remove, tuple(one.member for one in changes), min(one.until for one in changes))
        for (add, remove), changes in found.items()
    ]
    return tuple(sorted(wanted, key=lambda one: -len(one.by)))


# ------------------------------------------------------------------------------------------------------------- telling


def _tell(found: _Committee, json_output: bool) -> None:
    state = found.state
    if json_output:
        document = {
            "network_id": found.genesis.network_id.hex(),
            "height": state.height,
            "members": [key.hex() for key in state.members],
            "since": state.changes[-1] if state.changes else 0,
            "quorum": found.quorum,
            "slower": [
                {"node": node, "tokens_per_s": {model.hex(): rate for model, rate in rates}}
                for node, rates in found.slower
            ],
            "wanted": [
                {
                    "add": [key.hex() for key in one.add],
                    "remove": [key.hex() for key in one.remove],
                    "by": [key.hex() for key in one.by],
                    "until_epoch": one.until,
                }
                for one in found.wanted
            ],
        }
        typer.echo(json.dumps(document))
        return
    since = f"since block {state.changes[-1]}" if state.changes else "of the genesis"
    typer.echo(f'The committee of "{found.genesis.genesis.name}": {len(state.members)} members {since}.')
    for key in state.members:
        typer.echo(f"  {key.hex()}")
    for node, rates in found.slower:
        told = ", ".join(f"{rate} tokens a second with model {model.hex()}..." for model, rate in rates)
        typer.echo(f"Found slower than it says: node {node} reads {told}.")
    if not found.wanted:
        typer.echo("No change is wanted. Owners of members want one with: gentorrent committee propose")
    for one in found.wanted:
        typer.echo(f"Wanted by {len(one.by)} of the {found.quorum} members that it takes, until epoch {one.until}:")
        for sign, keys in (("+", one.add), ("-", one.remove)):
            for key in keys:
                typer.echo(f"  {sign} {key.hex()}")
        for key in one.by:
            typer.echo(f"    wants it: {key.hex()}")
