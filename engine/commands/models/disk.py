"""``gentorrent models disk``."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from engine.commands.models.shared import Data, Json, models_folder
from engine.commands.terminal import harmless


def disk(data: Data = None, json_output: Json = False) -> None:
    """Say what each model and each unfinished download takes of the disk, and what is left for others."""
    from engine.library.disk_use import disk_use
    from engine.library.sizes import gigabytes

    use = disk_use(models_folder(data))
    if json_output:
        typer.echo(json.dumps(asdict(use), ensure_ascii=False))
        return
    for one in use.models:
        words = "a link, its files lie elsewhere" if one.linked else gigabytes(one.files)
        left = f", unfinished: {gigabytes(one.unfinished)}" if one.unfinished else ""
        typer.echo(f"{harmless(one.name):40} {words}{left}")
    typer.echo(f"Together {gigabytes(use.total)}; {gigabytes(use.free)} are free for more.")
