"""``gentorrent models download``: from a hub onto this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.models import licence
from engine.commands.models.published_download import download_published
from engine.commands.models.shared import (
    Data,
    Json,
    data_directory,
    models_folder,
    shown_progress,
    split_variant,
    this_machine,
    unknown,
)
from engine.commands.terminal import harmless
from engine.ids import is_publishers

if TYPE_CHECKING:
    from engine.inference.models.folder import ModelFolder
    from engine.library.download import Order, Plan
    from engine.library.folders import ModelsFolder
    from engine.library.hub import Hub


def download(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[:VARIANT]",
            help="A model of the catalogue, a repository of the hub OWNER/NAME, or a published model FINGERPRINT/NAME.",
        ),
    ],
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which variant; the best one for this machine without it.")
    ] = None,
    revision: Annotated[
        str, typer.Option(metavar="REVISION", help="Branch, tag or commit of the repository.")
    ] = "main",
    as_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What the model is called on this machine.")
    ] = None,
    repin: Annotated[
        bool, typer.Option("--repin", help="Accept that files have changed on the hub since they were downloaded.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept the licence and do not ask.")] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Download one variant of a model with its tokenizer and settings, and nothing else of its repository.

    Every file is compared with the hub's own hash and with what an earlier download was. Interrupted in any way, the
    same command goes on where it stopped. The hub is HF_ENDPOINT, by default huggingface.co; a token for repositories
    that ask for one comes from HF_TOKEN or a login with huggingface_hub. A running engine finds the model by itself.
    """
    import asyncio

    from engine.library.hub import hub_of

    models = models_folder(data)
    if is_publishers(model):
        download_published(model, models, data, yes=yes, json_output=json_output)
        return
    order = _order(model, variant, revision, as_name, repin, data)
    hub = hub_of(os.environ)
    try:
        plan, folder = asyncio.run(_run(order, hub, models, yes, json_output))
    except KeyboardInterrupt:
        typer.echo("\nStopped. What has arrived is kept: run the same command again to go on.", err=True)
        raise
    if json_output:
        told = {
            "name": plan.name,
            "repository": plan.repository.name,
            "commit": plan.repository.commit,
            "licence": plan.licence,
            "variant": folder.variant,
            "digest": folder.digest.hex(),
            "size": plan.selection.size,
            "folder": str(folder.path),
            "files": [one.relative_to(folder.path).as_posix() for one in folder.files],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(
            f"{plan.name} ({folder.variant}) is on this machine. Ask it with: gentorrent chat --model {plan.name}; "
            f"share it with: gentorrent node --contribute {plan.name}"
        )


def _order(
    model: str, variant: str | None, revision: str, as_name: str | None, repin: bool, data: Path | None
) -> Order:
    from msgspec import UnsetType

    from engine.library.catalogue import find
    from engine.library.download import Order
    from engine.library.known import known_models
    from engine.library.names import is_repository

    name, chosen = split_variant(model, variant)
    known = known_models(data_directory(data))
    entry = find(known, name)
    if entry is None and ("/" not in name or not is_repository(name)):
        raise unknown(name, known)
    listed = entry.variant(chosen) if entry else None
    return Order(
        repository=entry.repository.value if entry else name,
        variant=chosen,
        revision=revision,
        name=as_name or (entry.id if entry else ""),
        graph=listed.graph if listed else "",
        machine=None if chosen else this_machine(data),
        kv=entry.kv if entry else None,
        licence=entry.licence.value if entry and not isinstance(entry.licence, UnsetType) else "",
        repin=repin,
    )


async def _run(order: Order, hub: Hub, models: ModelsFolder, yes: bool, quiet: bool) -> tuple[Plan, ModelFolder]:
    from engine.library.download import download as fetch
    from engine.library.download import prepare

    plan = await prepare(order, hub, models)
    await _accept(plan, hub, models, yes)
    with shown_progress(quiet) as meter:
        return plan, await fetch(plan, hub, models, meter)


async def _accept(plan: Plan, hub: Hub, models: ModelsFolder, yes: bool) -> None:
    """The licence, with its text unless that was read before, and what the owner says to it, which is remembered."""
    from engine.library.licences import licence_on
    from engine.library.sizes import gigabytes

    if not licence.is_new(models.agreements, plan.name, plan.terms.digest):
        return
    page = f"{hub.endpoint}/{plan.repository.name}"
    said = f"{plan.licence or 'not stated by the hub'} ({page})"
    about = f"{plan.name}: variant {plan.selection.variant}, {gigabytes(plan.missing)} to fetch. "
    typer.echo(harmless(f"{about}Licence: {said}"), err=True)
    if not yes:
        found = await licence_on(hub, plan.repository)
        licence.ask(plan.name, said, found.name, found.text)
    models.agreements.agree(plan.name, "", plan.terms.digest)
