"""``gentorrent models download FINGERPRINT/NAME``: from the addresses that a publisher has signed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from engine.clock import SystemClock
from engine.commands.models.shared import data_directory, shown_progress
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.library.folders import ModelsFolder
    from engine.library.published_download import Wanted


def download_published(model: str, models: ModelsFolder, data: Path | None, *, yes: bool, json_output: bool) -> None:
    """Fetch, check and install it; the licence is shown before the first time, and where it is another one."""
    import asyncio

    from engine.errors import ManifestError
    from engine.library.hub import hub_of
    from engine.library.licences import new_licence
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
    if not models.place(model).is_dir():
        _accept(wanted, yes)
    elif new_licence(wanted.manifest, models.pins.get(model)) is not None:
        typer.echo("This version has another licence than the one that you have accepted.", err=True)
        _accept(wanted, yes)
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


def _accept(wanted: Wanted, yes: bool) -> None:
    from engine.library.sizes import gigabytes

    manifest = wanted.manifest
    page = f" ({manifest.source})" if manifest.source else ""
    typer.echo(
        harmless(
            f"{wanted.model_id}: unreviewed, published by {manifest.publisher}, {gigabytes(wanted.missing)} to fetch. "
            f"Licence: {manifest.licence}{page}"
        ),
        err=True,
    )
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"The licence of {wanted.model_id} ({harmless(manifest.licence + page)}) has to be accepted before the "
            "download. Read it, and add --yes."
        )
    if not typer.confirm("Accept this licence and download?", err=True):
        raise typer.Exit(1)
