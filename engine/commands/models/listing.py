"""``gentorrent models list``: what can be asked, and what lies on this machine."""

from __future__ import annotations

import json
import os
from typing import Any

import typer

from engine.commands.api_client import EngineUnreachableError, find_engine
from engine.commands.models.shared import Data, Json, models_folder
from engine.commands.terminal import harmless

_WHERE = {"local": "this machine", "network": "network", "both": "this machine and network"}


def list_models(data: Data = None, json_output: Json = False) -> None:
    """List what can be asked now, and the models on this machine with variant, size and digest.

    Works with and without a running engine.
    """
    here = _on_disk(data)
    try:
        listed = [_entry(model) for model in find_engine(data, None, None, os.environ).models()]
        running = True
    except EngineUnreachableError:
        listed = [{"id": one["id"], "where": "local", "nodes": 0} for one in here if not one["problem"]]
        running = False
    known = {one["id"]: one for one in here}
    listed = [{"context_length": 0, **known.pop(model["id"], {}), **model} for model in listed]
    listed += [{**one, "where": "unusable" if one["problem"] else "not loaded", "nodes": 0} for one in known.values()]
    if json_output:
        typer.echo(json.dumps(listed, ensure_ascii=False))
        return
    if not running:
        typer.echo("No engine is running; these models are on this machine:", err=True)
    for model in listed:
        _show(model)


def _show(model: dict[str, Any]) -> None:
    from engine.library.sizes import gigabytes

    count = model["nodes"]
    nodes = f", {count} {'node' if count == 1 else 'nodes'}" if count else ""
    line = f"{harmless(model['id']):40} {_WHERE.get(model['where'], model['where'])}{nodes}"
    if "size" in model:
        line = f"{line:62} {gigabytes(model['size']):>9}  {model['pinned']}"
        if model["digest"]:
            line += f"  {model['digest'][:12]}  {harmless(', '.join(model['variants']))}"
    typer.echo(line.rstrip())
    if model.get("provider_reason"):
        typer.echo(f"    on {harmless(model['provider_reason'])}")
    if model.get("problem"):
        typer.echo(f"    {harmless(model['problem'])}", err=True)


def _entry(model: dict[str, Any]) -> dict[str, Any]:
    extension = model.get("gentorrent", {})
    where = extension.get("where")
    return {
        "id": str(model["id"]),
        "where": where if where in _WHERE else "network",
        "nodes": int(extension.get("nodes", 0)),
        "context_length": int(extension.get("context_length", 0)),
        "provider": str(extension.get("provider", "")),
        "provider_reason": str(extension.get("provider_reason", "")),
    }


def _on_disk(data: Data) -> list[dict[str, Any]]:
    from engine.library.keeping import installed

    return [
        {
            "id": one.name,
            "context_length": one.context,
            "variant": one.variant,
            "variants": list(one.variants),
            "size": one.size,
            "digest": one.digest,
            "pinned": one.pinned,
            "repository": one.repository,
            "licence": one.licence,
            "folder": str(one.folder),
            "problem": one.problem,
        }
        for one in installed(models_folder(data))
    ]
