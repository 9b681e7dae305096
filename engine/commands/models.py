"""``gentorrent models``: what can be asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.commands.api_client import EngineUnreachableError, find_engine
from engine.commands.terminal import harmless
from engine.config import find_data_directory

commands = typer.Typer(help="Models on this machine and on the network.", no_args_is_help=True)
_WHERE = {"local": "this machine", "network": "network", "both": "this machine and network"}


@commands.callback()
def _models() -> None:
    """Models on this machine and on the network."""


@commands.command(name="list")
def list_models(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List what can be asked now; without a running engine, what lies on this machine."""
    try:
        listed = [_entry(model) for model in find_engine(data, None, None, os.environ).models()]
        running = True
    except EngineUnreachableError:
        listed = _on_disk(find_data_directory(data, os.environ))
        running = False
    if json_output:
        typer.echo(json.dumps(listed, ensure_ascii=False))
        return
    if not running:
        typer.echo("No engine is running; these models are on this machine:", err=True)
    for model in listed:
        count = model["nodes"]
        nodes = f", {count} {'node' if count == 1 else 'nodes'}" if count else ""
        typer.echo(f"{harmless(model['id']):40} {_WHERE[model['where']]}{nodes}")


def _entry(model: dict[str, Any]) -> dict[str, Any]:
    extension = model.get("gentorrent", {})
    where = extension.get("where")
    return {
        "id": str(model["id"]),
        "where": where if where in _WHERE else "network",
        "nodes": int(extension.get("nodes", 0)),
        "context_length": int(extension.get("context_length", 0)),
    }


def _on_disk(directory: Path) -> list[dict[str, Any]]:
    from engine.inference.models.installed import Catalogue
    from engine.storage.data_directory import DataDirectory

    folders = Catalogue(DataDirectory(directory).models).usable()
    return [
        {"id": name, "where": "local", "nodes": 0, "context_length": folder.context_length}
        for name, folder in folders.items()
    ]
