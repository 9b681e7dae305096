"""``gentorrent identity``: show, replace or end the identity of this machine's node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.config import Configuration, load_configuration
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.storage.key_store import KeyStore
    from engine.wire.records import Signed

commands = typer.Typer(help="The identity under which this machine is listed.", no_args_is_help=True)
DataOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
]
BootstrapOption = Annotated[
    str | None, typer.Option(metavar="URL#NETWORKID", help="The network's bootstrap server (as for gentorrent node).")
]


@commands.callback()
def _identity() -> None:
    """The identity under which this machine is listed."""


@commands.command()
def show(
    data: DataOption = None,
    key: Annotated[
        bool, typer.Option("--key", help="Print the public key, of which the id is a part of the hash.")
    ] = False,
) -> None:
    """Print the id of this machine's node. An engine may be running."""
    from engine.clock import SystemClock
    from engine.errors import DataDirectoryLockedError
    from engine.ids import node_id_text
    from engine.storage.data_directory import DataDirectory
    from engine.storage.key_store import KeyStore

    configuration = _settings(data)
    try:
        with _keys(configuration) as store:
            identity = store.identity()
    except DataDirectoryLockedError:  # an engine that runs has made its keys, and they are only read here
        identity = KeyStore(DataDirectory(configuration.data_directory).keys, SystemClock()).identity()
    typer.echo(identity.public_key.hex() if key else node_id_text(identity.node_id))


@commands.command()
def replace(data: DataOption = None) -> None:
    """Make a new identity that takes the place of the present one.

    The next gentorrent node tells the network; age and availability move on, and the old key is destroyed then.
    """
    from engine.ids import node_id_text

    configuration = _settings(data)
    with _keys(configuration) as store:
        before = node_id_text(store.identity().node_id)
        after = node_id_text(store.replace_identity().node_id)
    typer.echo(f"Node {before} becomes {after}. Start gentorrent node: it tells the network, and destroys the old key.")
    _mind_the_invitation(configuration)


@commands.command()
def revoke(
    data: DataOption = None,
    bootstrap: BootstrapOption = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the revocation to a new file, to be sent later with --send."),
    ] = None,
    send: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send a revocation that was saved before; needs no key.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End this machine's identity for good, because its key was or may have been stolen.

    It is never listed or linked again. This machine gets a new identity, which starts from nothing.
    """
    if save is not None and send is not None:
        raise ConfigurationError("--save makes a revocation for later, --send sends one made before. Give one.")
    configuration = _settings(data, bootstrap)
    if send is not None:
        _send(configuration, _read(send))
        typer.echo("The server has the revocation; it is in the next directory.")
        return
    with _keys(configuration) as store:
        if save is not None:
            _save(save, _revocation(configuration, store))
            typer.echo(f"{save} ends this identity when it is sent (gentorrent identity revoke --send). Keep it safe.")
            return
        if not yes:
            typer.confirm("End this machine's identity for good?", abort=True)
        _send(configuration, _revocation(configuration, store))
        store.forget_predecessor()  # what ends for good takes nobody's place
        store.replace_identity()
        store.forget_predecessor()
    typer.echo("The identity is revoked. This machine has a new one.")
    _mind_the_invitation(configuration)


def _mind_the_invitation(configuration: Configuration) -> None:
    """An invitation is good for the identity that has used it."""
    from engine.storage.data_directory import DataDirectory
    from engine.transport.saved_invitation import is_invited

    if is_invited(DataDirectory(configuration.data_directory).networks):
        typer.echo(
            "In a private network the invitation belongs to the identity before: ask its operator for another one, and"
            " start gentorrent node once with --join INVITATION.",
            err=True,
        )


def _settings(data: Path | None, bootstrap: str | None = None) -> Configuration:
    return load_configuration({"data_directory": data, "bootstrap": bootstrap}, os.environ)


@contextmanager
def _keys(configuration: Configuration) -> Iterator[KeyStore]:
    """The keys; ``DataDirectoryLockedError`` while an engine uses them."""
    from engine.clock import SystemClock
    from engine.storage.data_directory import DataDirectory, acquire_lock
    from engine.storage.key_store import KeyStore

    directory = DataDirectory(configuration.data_directory)
    directory.create()
    with acquire_lock(directory.lock, SystemClock()):
        yield KeyStore(directory.keys, SystemClock())


def _revocation(configuration: Configuration, store: KeyStore) -> Signed:
    from engine.clock import SystemClock
    from engine.directory.statements import make_revocation
    from engine.transport.bootstrap_state import parse_bootstrap

    network_id = parse_bootstrap(_server(configuration)).network_id
    if network_id is None:
        raise ConfigurationError("A revocation names its network: give the whole address, --bootstrap URL#NETWORKID.")
    return make_revocation(store.identity(), network_id, SystemClock().wall())


def _server(configuration: Configuration) -> str:
    if not configuration.bootstrap:
        raise ConfigurationError("Which network? Give its address with --bootstrap URL#NETWORKID.")
    return configuration.bootstrap


def _send(configuration: Configuration, statement: Signed) -> None:
    import asyncio

    import aiohttp

    from engine.errors import BootstrapUnreachableError
    from engine.transport.bootstrap_http import network_errors, send_statement
    from engine.transport.bootstrap_state import parse_bootstrap

    urls = parse_bootstrap(_server(configuration)).urls

    async def send(url: str) -> None:
        async with network_errors(), aiohttp.ClientSession() as session:
            await send_statement(session, url, statement)

    for number, url in enumerate(urls, 1):
        try:
            asyncio.run(send(url))
            return
        except BootstrapUnreachableError as error:
            if number == len(urls):
                raise BootstrapUnreachableError(
                    f"The bootstrap server {url} cannot be reached ({error}). Nothing was changed; try again later."
                ) from error


def _save(path: Path, statement: Signed) -> None:
    from engine.errors import StorageError
    from engine.storage.files import write_atomically
    from engine.wire.codec import encode

    if path.exists():
        raise StorageError(f"{path} exists already. Choose another name.")
    write_atomically(path, encode(statement))


def _read(path: Path) -> Signed:
    from engine.errors import StorageError
    from engine.storage.files import read_limited
    from engine.wire.records import signed_decoder

    data = read_limited(path, 4096)
    if data is None:
        raise StorageError(f"{path} does not exist.")
    return signed_decoder.decode(data)
