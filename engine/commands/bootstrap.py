"""``gentorrent bootstrap``: the server through which the nodes of a network find each other."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.commands.node import LOG_FORMAT
from engine.config import DEFAULT_BOOTSTRAP_PORT, default_data_directory, usable_directory
from engine.errors import ConfigurationError

LEAST_COMMITTEE = 4
"""Members; the fewest among whom one may lie."""

if TYPE_CHECKING:
    from engine.transport.bootstrap_state import BootstrapAddress
    from engine.wire.records import Parameters


def run(
    init: Annotated[
        bool, typer.Option("--init", help="Make the server's keys and the network's genesis file, then exit.")
    ] = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="With --init: what the network is called.")] = None,
    host: Annotated[
        str,
        typer.Option(metavar="H", envvar="GENTORRENT_BOOTSTRAP_HOST", help="Address to listen on; 0.0.0.0: every one."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, metavar="P", envvar="GENTORRENT_BOOTSTRAP_PORT", help="Port to listen on."),
    ] = DEFAULT_BOOTSTRAP_PORT,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", envvar="GENTORRENT_BOOTSTRAP_DATA", help="Where the server keeps its keys and its database."
        ),
    ] = None,
    paths: Annotated[
        int | None, typer.Option(min=1, max=16, metavar="N", help="With --init: paths per answer (4).")
    ] = None,
    needed: Annotated[
        int | None, typer.Option(min=1, max=16, metavar="K", help="With --init: paths that suffice (3).")
    ] = None,
    hops: Annotated[
        int | None,
        typer.Option(
            min=0, max=3, metavar="L", help="With --init: relays on each path (3); 0: everybody asks directly."
        ),
    ] = None,
    least_paths: Annotated[
        int | None,
        typer.Option(min=1, max=16, metavar="N", help="With --init: paths a user may choose while relays are few (1)."),
    ] = None,
    least_hops: Annotated[
        int | None,
        typer.Option(
            min=0, max=3, metavar="L", help="With --init: relays per path a user may choose then (2); 0: direct, too."
        ),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL#NETWORKID",
            envvar="GENTORRENT_BOOTSTRAP_MIRROR",
            help="Mirror the server there: pass nodes on to it, and introduce them while it is away.",
        ),
    ] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A TURN server for nodes behind difficult routers, such as turn:turn.example.org:3478 or "
            "turns:turn.example.org:443; once for each way to reach it.",
        ),
    ] = None,
    turn_secret_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds the TURN server's shared secret (or set GENTORRENT_TURN_SECRET)."),
    ] = None,
    invited_only: Annotated[
        bool,
        typer.Option("--invited-only", help="With --init: a private network; see gentorrent invite."),
    ] = False,
    committee: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="With --init: a verifier's key (gentorrent identity show --key); once for each of at least four.",
        ),
    ] = None,
    epoch_seconds: Annotated[
        float | None,
        typer.Option(min=1, max=86400, metavar="S", help="With --init: how often the committee agrees (600)."),
    ] = None,
    one_machine: Annotated[
        bool,
        typer.Option("--one-machine", help="With --init: a network for trying out, all of whose nodes are here."),
    ] = False,
) -> None:
    """Run the bootstrap server of a network. Run it with --init once before.

    It introduces nodes to each other and signs the directory; it sees who is online, never what is asked.
    """
    directory = usable_directory(data or default_data_directory() / ("mirror" if mirror else "bootstrap"))
    if init:
        if mirror:
            raise ConfigurationError("--mirror is for a running network; leave out --init, a mirror makes its own key.")
        if turn or turn_secret_file:
            raise ConfigurationError(
                "--turn and --turn-secret-file are for the running server; leave them out with --init."
            )
        shape = msgspec.structs.replace(
            _shape(paths, needed, hops, least_paths, least_hops),
            invited_only=invited_only,
            epoch_seconds=float(epoch_seconds or 600),
        )
        _init(directory, name, host, port, shape, one_machine, _committee(committee or []))
        return
    of_genesis = (name, paths, needed, hops, least_paths, least_hops, committee, epoch_seconds)
    if one_machine or invited_only or any(option is not None for option in of_genesis):
        raise ConfigurationError(
            "--name, --paths, --needed, --hops, --least-paths, --least-hops, --invited-only, --committee,"
            " --epoch-seconds and --one-machine belong to --init: they become part of the network's genesis file, which"
            " never changes. Leave them out to start the server."
        )
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("engine").setLevel(logging.INFO)

    from engine.bootstrap.run import run_mirror, run_server, serve

    turn_server = (tuple(turn or ()), turn_secret_file)
    if mirror is None:
        serve(lambda: run_server(directory, host, port, _announce, turn_server))
        return
    origin = _origin(mirror)
    serve(lambda: run_mirror(directory, origin, host, port, _announce, turn_server))


def _origin(text: str) -> BootstrapAddress:
    """The server that is mirrored."""
    from engine.transport.bootstrap_state import parse_bootstrap

    address = parse_bootstrap(text)
    if address.network_id is None or address.others:
        raise ConfigurationError(
            f"--mirror wants one address with the network id, URL#NETWORKID, and got {text[:200]!r}. The server that is"
            " mirrored prints it when it starts."
        )
    return address


def _announce(address: str) -> None:
    print(f"The server is ready. Nodes join with: gentorrent node --bootstrap {address}", flush=True)


def _shape(
    paths: int | None, needed: int | None, hops: int | None, least_paths: int | None, least_hops: int | None
) -> Parameters:
    """The paths of a new network, and what its users may choose while relays are missing."""
    from engine.wire.records import Parameters

    if hops == 0:
        if any(option is not None for option in (paths, needed, least_paths, least_hops)):
            raise ConfigurationError(
                "--hops 0 makes a network without relays, which has no paths to number. Leave out --paths, --needed, "
                "--least-paths and --least-hops, or give --hops 1 to 3."
            )
        return Parameters(n=1, k=1, path_length=0, least_path_length=0)
    shape = Parameters(n=paths or 4, k=needed or min(3, paths or 4), path_length=3 if hops is None else hops)
    if shape.k > shape.n:
        raise ConfigurationError(
            f"--needed ({shape.k}) is more than there are --paths ({shape.n}): no answer could ever arrive. Lower it."
        )
    least_n = min(shape.least_n, shape.n) if least_paths is None else least_paths
    least_length = min(shape.least_path_length, shape.path_length) if least_hops is None else least_hops
    if least_n > shape.n or least_length > shape.path_length:
        raise ConfigurationError(
            f"The least that users may choose (--least-paths {least_n}, --least-hops {least_length}) is more than the "
            f"network wants ({shape.n} paths of {shape.path_length}). Lower it."
        )
    return msgspec.structs.replace(shape, least_n=least_n, least_path_length=least_length)


def _committee(keys: list[str]) -> list[bytes]:
    """The verifiers' keys as they were given."""
    from engine.wire.blocks import MAX_MEMBERS

    for text in keys:
        if re.fullmatch(r"[0-9a-f]{64}", text) is None:
            raise ConfigurationError(
                f"--committee wants a verifier's key, 64 digits 0-9 a-f, and got {text[:80]!r}. On its machine,"
                " gentorrent identity show --key prints it."
            )
    if keys and not (LEAST_COMMITTEE <= len(keys) <= MAX_MEMBERS and len(set(keys)) == len(keys)):
        raise ConfigurationError(
            f"A committee has {LEAST_COMMITTEE} to {MAX_MEMBERS} members, and each of them once: with fewer, one that"
            " lies could not be outvoted. Give --committee once for each."
        )
    return [bytes.fromhex(text) for text in keys]


def _init(
    directory: Path,
    name: str | None,
    host: str,
    port: int,
    shape: Parameters,
    one_machine: bool,
    committee: list[bytes],
) -> None:
    from engine.bootstrap.init import DEFAULT_NAME, init_network
    from engine.directory.genesis import NAME_RULE, is_name

    if name is not None and not is_name(name):
        raise ConfigurationError(f"--name cannot be that: {NAME_RULE[0].lower()}{NAME_RULE[1:]}")
    parameters = msgspec.structs.replace(
        shape,
        allow_loopback=one_machine,
        one_prefix=one_machine,
        snapshot_seconds=0.5 if one_machine else 10.0,  # few nodes, and somebody who waits for them
    )
    network = init_network(directory, name or DEFAULT_NAME, parameters, committee=committee)
    typer.echo(network.notice)
    address = f"http://{host}:{port}#{network.network_id.hex()}"
    typer.echo(f"Start the server with: gentorrent bootstrap --host {host} --port {port} --data {directory}")
    if network.genesis.parameters.invited_only:  # one that was there before is what it was made
        typer.echo(f"Invite with:           gentorrent invite create --url http://{host}:{port} --data {directory}")
    else:
        typer.echo(f"Nodes join with:       gentorrent node --bootstrap {address}")
    typer.echo("(Replace the address by the one under which others reach this machine.)")
