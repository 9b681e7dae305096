"""``gentorrent models download FINGERPRINT/NAME``: from the addresses that a publisher has signed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from engine.clock import SystemClock
from engine.commands.models import licence
from engine.commands.models.shared import data_directory, shown_progress
from engine.commands.terminal import harmless

if TYPE_CHECKING:
    from engine.library.folders import ModelsFolder
    from engine.library.published_download import Wanted


def download_published(model: str, models: ModelsFolder, data: Path | None, *, yes: bool, json_output: bool) -> None:
    """Fetch, check and install it; the licence is shown before the first time, and when it is another one."""
    import asyncio

    from engine.errors import ManifestError
    from engine.library.hub import hub_of
    from engine.library.published import PublishedModels
    from engine.library.published_download import download_published as fetch
    from engine.library.published_download import plan
    from engine.library.sources import local_allowed
    from engine.sentences import say
    from engine.storage.data_directory import DataDirectory

    published = PublishedModels(DataDirectory(data_directory(data)).published, SystemClock())
    published.manifest(model)  # says what is wrong with it
    record = published.get(model)
    if record is None:
        raise ManifestError(say("manifest.unknown", model=model[:200]))
    wanted = plan(record, models)
    _accept(wanted, models, yes)
    with shown_progress(json_output) as meter:
        hub, local = hub_of(os.environ), local_allowed(os.environ)
        try:
            folder = asyncio.run(fetch(wanted, models, meter, hub=hub, allow_local=local))
        except KeyboardInterrupt:
            typer.echo("\nStopped. What has arrived is kept: run the same command again to go on.", err=True)
            raise
    if json_output:
        told = {
            "name": model,
            "publisher": wanted.manifest.publisher,
            "version": wanted.manifest.version,
            "licence": wanted.manifest.licence,
            "variant": folder.variant,
            "digest": folder.digest.hex(),
            "size": sum(one.size for one in wanted.manifest.files),
            "folder": str(folder.path),
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        fingerprint = model.partition("/")[0]
        typer.echo(
            f"{model} version {wanted.manifest.version} is on this machine. To share it, trust its publisher ("
            f"gentorrent models publishers trust {fingerprint}), then: gentorrent node --contribute {model}"
        )


def _accept(wanted: Wanted, models: ModelsFolder, yes: bool) -> None:
    """The licence, with its text unless that was read before, and what the owner says to it, which is remembered."""
    import asyncio

    from engine.library.agreements import terms_of
    from engine.library.hub import hub_of
    from engine.library.licences import licence_of_manifest
    from engine.library.sizes import gigabytes
    from engine.library.sources import local_allowed

    manifest, model = wanted.manifest, wanted.model_id
    terms = terms_of(manifest).digest
    if not licence.is_new(models.agreements, model, terms):
        return
    page = f" ({manifest.source})" if manifest.source else ""
    about = f"{model}: unreviewed, published by {manifest.publisher}, {gigabytes(wanted.missing)} to fetch. "
    typer.echo(harmless(f"{about}Licence: {manifest.licence}{page}"), err=True)
    if not yes:
        hub, local = hub_of(os.environ), local_allowed(os.environ)
        found = asyncio.run(licence_of_manifest(manifest, hub, allow_local=local))
        licence.ask(model, manifest.licence + page, found.name, found.text)
    models.agreements.agree(model, manifest.digest.hex(), terms)
