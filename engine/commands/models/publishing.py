"""``gentorrent models publish``, ``withdraw``, ``published``, ``add-manifest``, ``confirm`` and ``publishers``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.clock import SystemClock
from engine.commands.models.shared import Data, Json, Yes, data_directory, shown_progress
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError, ManifestError

if TYPE_CHECKING:
    from engine.crypto.identity import Identity
    from engine.directory.manifests import Published
    from engine.library.published import PublishedModels
    from engine.library.publishing import Hashed

Bootstrap = Annotated[
    str | None,
    typer.Option(metavar="URL#NETWORKID", help="The network's server; without it the one that was joined last."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the signed record to a file and tell no network."),
]
publishers = typer.Typer(help="Whose models this machine serves: nobody's by default.", no_args_is_help=True)


@publishers.callback()
def _publishers() -> None:
    """Whose models this machine serves: nobody's by default."""


def publish(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The model's folder, as for models import.")],
    publisher: Annotated[str, typer.Option(metavar="NAME", help="What you call yourself; everybody sees it.")],
    licence: Annotated[str, typer.Option(metavar="NAME", help="The model's licence, for example apache-2.0.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the model is called; the folder's name.")
    ] = None,
    hub: Annotated[
        list[str] | None,
        typer.Option(metavar="OWNER/NAME[@REVISION]", help="A repository of the hub (HF_ENDPOINT) with these files."),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(metavar="https://…/", help="A web folder with these files; its address ends with a slash."),
    ] = None,
    source: Annotated[str, typer.Option(metavar="https://…", help="A page about the model and its licence.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="One line for those who choose a model.")] = "",
    variant: Annotated[str | None, typer.Option(metavar="NAME", help="Which of several variants.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For how long it holds; publish again before.")] = 365,
    version: Annotated[
        int, typer.Option(min=0, help="The version's number; 0: one more than the last that is known here.")
    ] = 0,
    bootstrap: Bootstrap = None,
    output: Output = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Put your own model on the network: sign which files it is made of and where they lie.

    The files stay where they are; upload them first. Others see the model as FINGERPRINT/NAME, unreviewed, with your
    name. It is served by those who trust you (models publishers trust). The same command publishes a newer version,
    which replaces this one. The key is made on the first use and kept in the data directory: whoever loses it cannot
    publish under this fingerprint again.
    """
    from engine.library.manifests import check_said
    from engine.library.publishing import Terms, hash_folder
    from engine.library.publishing import publish as sign

    if not hub and not url:
        raise ConfigurationError("Say where others can fetch the files: with --hub OWNER/NAME, or --url https://…/.")
    called = name or folder.absolute().name.lower()
    check_said(name=called, publisher=publisher, licence=licence, source=source, note=note, addresses=url or ())
    published = _published(data)
    with shown_progress(json_output) as meter:
        hashed = hash_folder(folder, meter, variant or "")
    addresses = [*_hub_addresses(hub or [], hashed), *(url or [])]
    identity, storage = _identity(data)
    terms = Terms(
        name=called,
        publisher=publisher,
        addresses=addresses,
        licence=licence,
        source=source,
        note=note,
        days=days,
        version=version,
    )
    record = sign(identity, hashed, terms, published, SystemClock().wall())
    told = _deliver(record, bootstrap, output, data)
    _tell(record, told, storage, json_output)


def withdraw(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you have published it as.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who asked it.")] = "",
    bootstrap: Bootstrap = None,
    output: Output = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Take back a model that you have published: nobody asks or serves it from then on.

    Files that others have stay theirs. The same name can be published again, with a higher version.
    """
    from engine.library.manifests import check_line
    from engine.library.publishing import withdraw as sign

    check_line("--reason", reason, 300)
    identity, storage = _identity(data)
    record = sign(identity, "", name, reason, _published(data), SystemClock().wall())
    told = _deliver(record, bootstrap, output, data)
    _tell(record, told, storage, json_output)


def list_published(data: Data = None, json_output: Json = False) -> None:
    """List the published models that are known here, with what holds them back."""
    published = _published(data)
    rows = [_row(published, model_id) for model_id in sorted(published.all())]
    if json_output:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']:60} version {row['version']}, by {harmless(row['publisher'])}: {row['state']}")
        if row["problem"]:
            typer.echo(f"    {harmless(row['problem'])}")
    if not rows:
        typer.echo("No published model is known here.", err=True)


def add_manifest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record of models publish --output.")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Take a manifest, or a withdrawal, from a file: for models that no network's server carries."""
    from engine.errors import WireError
    from engine.library.published import MAX_FILE
    from engine.sentences import say
    from engine.storage.files import read_limited
    from engine.wire.records import signed_decoder

    content = read_limited(file, MAX_FILE)
    if content is None:
        raise ConfigurationError(f"There is no file {file}.")
    try:
        signed = signed_decoder.decode(content)
    except WireError as error:
        raise ManifestError(say("manifest.damaged", problem=f"{file} holds something else")) from error
    published = _published(data)
    record, news = published.add(signed)
    row = {**_row(published, record.model_id), "news": news}
    if json_output:
        typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        known = "" if news else " It was known already."
        typer.echo(f"{record.model_id} version {row['version']}, by {harmless(row['publisher'])}.{known}")


def confirm(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="FINGERPRINT/NAME, as models list shows it.")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Say that you want to ask a model that nobody but its publisher has looked at. Once for each model."""
    record = _published(data).confirm(model)
    if json_output:
        typer.echo(json.dumps({"id": model, "publisher": record.record.publisher}))
    else:
        typer.echo(f"{model}, by {harmless(record.record.publisher)}, can be asked now. Nobody verifies its answers.")


@publishers.command(name="list")
def list_publishers(data: Data = None, json_output: Json = False) -> None:
    """List the publishers that are known here, and which of them you serve."""
    published = _published(data)
    rows = _publisher_rows(published)
    if json_output:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        trusted = "served" if row["trusted"] else "not served"
        typer.echo(
            f"{row['fingerprint']}  {trusted:11} {harmless(row['name'])}: {', '.join(row['models']) or 'nothing'}"
        )
    if not rows:
        typer.echo("No publisher is known here, and none is trusted.", err=True)


@publishers.command()
def trust(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="32 characters; compare all of them.")],
    yes: Yes = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Let this machine serve a publisher's models. Compare the fingerprint with one that the publisher gave you itself:
    anybody can take any name."""
    published = _published(data)
    name = published.name_of(fingerprint)
    if name and not yes and sys.stdin.isatty():
        shown = f"Serve models of {harmless(name)} ({fingerprint}) from this machine?"
        if not typer.confirm(shown, err=True):
            raise typer.Exit(1)
    name = published.trust(fingerprint)
    if json_output:
        typer.echo(json.dumps({"fingerprint": fingerprint, "name": name, "trusted": True}))
    else:
        typer.echo(f"Models of {harmless(name)} may be served from here: gentorrent models download FINGERPRINT/NAME")


@publishers.command()
def distrust(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Serve a publisher's models no more. An engine that does ends it at once; the files stay."""
    was = _published(data).distrust(fingerprint)
    if json_output:
        typer.echo(json.dumps({"fingerprint": fingerprint, "trusted": False, "was_trusted": was}))
    else:
        typer.echo("Its models are not served from here any more." if was else "They were not served from here.")


@publishers.command(name="me")
def show_own(data: Data = None, json_output: Json = False) -> None:
    """Show the fingerprint under which you publish, for those who want to compare it. Makes the key on first use."""
    from engine.directory.manifests import fingerprint_of

    identity, storage = _identity(data)
    fingerprint = fingerprint_of(identity.public_key)
    if json_output:
        typer.echo(json.dumps({"fingerprint": fingerprint, "key": identity.public_key.hex(), "storage": storage}))
    else:
        typer.echo(fingerprint)
        typer.echo(storage, err=True)


# ------------------------------------------------------------------------------------------------------------- helpers


def _published(data: Path | None) -> PublishedModels:
    from engine.library.published import PublishedModels
    from engine.storage.data_directory import DataDirectory

    return PublishedModels(DataDirectory(data_directory(data)).published, SystemClock())


def _identity(data: Path | None) -> tuple[Identity, str]:
    """The publisher's, and how its key is kept."""
    from engine.library.publishing import KEY_NAME
    from engine.storage.data_directory import DataDirectory
    from engine.storage.key_store import KeyStore

    directory = DataDirectory(data_directory(data))
    directory.create()
    store = KeyStore(directory.publisher_keys, SystemClock())
    return store.identity(KEY_NAME), store.notice


def _hub_addresses(repositories: list[str], hashed: Hashed) -> list[str]:
    if not repositories:
        return []
    import asyncio

    from engine.library.hub import hub_of
    from engine.library.publishing import hub_address

    hub = hub_of(os.environ)

    async def ask() -> list[str]:
        return [await hub_address(hub, text, hashed) for text in repositories]

    return asyncio.run(ask())


def _deliver(record: Published, bootstrap: str | None, output: Path | None, data: Path | None) -> str:
    """Where the record went: "file", "network", or "later" where no server takes it now."""
    import asyncio

    from engine.config import load_configuration
    from engine.errors import BootstrapUnreachableError, VerificationError
    from engine.library.publishing import Outgoing
    from engine.storage.data_directory import DataDirectory
    from engine.storage.files import write_atomically
    from engine.transport.bootstrap_http import http_session
    from engine.transport.bootstrap_state import parse_bootstrap
    from engine.transport.chain_http import send_record
    from engine.wire.codec import encode

    if output is not None:
        write_atomically(output.absolute(), encode(record.signed), 0o644)
        return "file"
    configured = load_configuration({"bootstrap": bootstrap, "data_directory": data}, os.environ).bootstrap

    async def send() -> bool:
        for server in parse_bootstrap(configured).urls:
            try:
                async with http_session() as session:
                    await send_record(session, server, "/v1/manifests", encode(record.signed))
                return True
            except BootstrapUnreachableError as error:
                typer.echo(harmless(f"{server}: {error}"), err=True)
        return False

    try:
        if configured and asyncio.run(send()):
            return "network"
    except VerificationError as error:
        raise ManifestError(f"The network does not take it: {error}") from error
    Outgoing(DataDirectory(data_directory(data)).published).put(record)
    return "later"


def _tell(record: Published, told: str, storage: str, json_output: bool) -> None:
    withdrawn = record.manifest is None
    if json_output:
        row: dict[str, Any] = {
            "id": record.model_id,
            "version": record.record.version,
            "publisher": record.record.publisher,
            "fingerprint": record.fingerprint,
            "expires": record.record.expires,
            "withdrawn": withdrawn,
            "told": told,
        }
        if record.manifest is not None:
            row |= {
                "digest": record.manifest.digest.hex(),
                "files": len(record.manifest.files),
                "addresses": list(record.manifest.addresses),
            }
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    done = "withdrawn" if withdrawn else "published"
    where = {
        "network": "The network's server has it; others see it within some minutes.",
        "file": "It is in the file; others take it with: gentorrent models add-manifest FILE",
        "later": "No server has taken it yet: an engine on this data directory (gentorrent node) brings it there.",
    }[told]
    typer.echo(f"{record.model_id} version {record.record.version} is {done}. {where}")
    typer.echo(storage, err=True)


def _row(published: PublishedModels, model_id: str) -> dict[str, Any]:
    record = published.all()[model_id]
    problem = ""
    try:
        published.manifest(model_id)
    except ManifestError as error:
        problem = str(error)
    trusted = record.fingerprint in published.trusted()
    confirmed = published.is_confirmed(model_id)
    words = ["may be served" if trusted else "not served", "may be asked" if confirmed else "to be confirmed"]
    manifest = record.manifest
    return {
        "id": model_id,
        "publisher": record.record.publisher,
        "fingerprint": record.fingerprint,
        "version": record.record.version,
        "expires": record.record.expires,
        "withdrawn": manifest is None,
        "size": sum(one.size for one in manifest.files) if manifest is not None else 0,
        "licence": manifest.licence if manifest is not None else "",
        "source": manifest.source if manifest is not None else "",
        "digest": manifest.digest.hex() if manifest is not None else "",
        "trusted": trusted,
        "confirmed": confirmed,
        "state": "not in use" if problem else ", ".join(words),
        "problem": problem,
    }


def _publisher_rows(published: PublishedModels) -> list[dict[str, Any]]:
    trusted = published.trusted()
    names = {one.fingerprint for one in published.all().values()} | set(trusted)
    usable = published.usable()
    return [
        {
            "fingerprint": one,
            "name": published.name_of(one) or trusted[one].name,
            "trusted": one in trusted,
            "models": sorted(name for name in usable if name.startswith(f"{one}/")),
        }
        for one in sorted(names)
    ]
