"""``gentorrent models search``: the catalogue, or a hub."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.commands.models.shared import Data, Json, data_directory
from engine.commands.terminal import harmless

if TYPE_CHECKING:
    from engine.library.catalogue import CatalogueModel
    from engine.library.hub import Found

MAX_RESULTS = 100


def search(
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Words that must all occur.")] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="Ask the model hub (HF_ENDPOINT) for models with ONNX files instead.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MAX_RESULTS, help="Results of --hub at most.")] = 20,
    sources: Annotated[
        bool, typer.Option("--sources", help="Show every fact of the catalogue with the page that it comes from.")
    ] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Search the catalogue of known open models; without TEXT list all of it. Needs no connection without --hub.

    What no public page showed is "not pinned": the first download finds it out and keeps it.
    """
    words = " ".join(text or ())
    if hub:
        _search_hub(words, limit, json_output)
        return
    from engine.library.catalogue import matching
    from engine.library.known import known_models

    found = matching(known_models(data_directory(data)), words)
    if json_output:
        import msgspec

        typer.echo(msgspec.json.encode([{**msgspec.to_builtins(one), **_derived(one)} for one in found]).decode())
        return
    for model in found:
        _show(model, sources)
    if not found:
        typer.echo("Nothing in the catalogue fits. Ask the hub with: gentorrent models search --hub TEXT", err=True)


def _derived(model: CatalogueModel) -> dict[str, Any]:
    """Estimates from sizes and layout: memory in bytes with 4,096 tokens, and the hardware for it."""
    from engine.library.candidates import foreseen_variants
    from engine.library.fit import hardware, memory_need

    need = memory_need(foreseen_variants(model), model.kv)
    return {"memory_need": need, "recommended_hardware": hardware(need) if need else None}


def _show(model: CatalogueModel, sources: bool) -> None:
    from msgspec import UnsetType

    from engine.library.sizes import gigabytes

    derived = _derived(model)
    need = derived["memory_need"]
    smallest = min((one.size for one in model.variants), default=0)
    facts = [
        "licence not pinned" if isinstance(model.licence, UnsetType) else model.licence.value,
        "context not pinned" if isinstance(model.context, UnsetType) else f"{model.context.value:,} tokens",
        f"from {gigabytes(smallest)}" if smallest else "files not pinned",
    ]
    typer.echo(f"{harmless(model.id):34} {harmless(', '.join(facts))}")
    typer.echo(f"    {harmless(model.repository.value)}")
    if model.variants:
        typer.echo(f"    variants: {harmless(', '.join(f'{v.name} {gigabytes(v.size)}' for v in model.variants))}")
    if need:
        typer.echo(f"    needs about {gigabytes(need)}: {derived['recommended_hardware']}")
    if model.note:
        typer.echo(f"    {harmless(model.note)}")
    if sources:
        _show_sources(model)


def _show_sources(model: CatalogueModel) -> None:
    from msgspec import UnsetType

    for name in ("repository", "family", "parameters", "licence", "context", "layout", "hardware"):
        fact = getattr(model, name)
        typer.echo(f"    {name}: {'not pinned' if isinstance(fact, UnsetType) else harmless(fact.source)}")
    for source in sorted({one.source for one in model.variants}) or ["not pinned"]:
        typer.echo(f"    files: {harmless(source)}")


def _search_hub(words: str, limit: int, json_output: bool) -> None:
    import asyncio

    from engine.library.hub import hub_of

    found: list[Found] = asyncio.run(hub_of(os.environ).search(words, limit))
    if json_output:
        rows = [
            {"repository": one.repository, "licence": one.licence, "downloads": one.downloads, "gated": one.gated}
            for one in found
        ]
        typer.echo(json.dumps(rows))
        return
    for one in found:
        gated = "  asks for an account" if one.gated else ""
        told = f"{one.repository:60} {one.licence or 'licence not stated':20} {one.downloads:>12,} downloads{gated}"
        typer.echo(harmless(told))
    if not found:
        typer.echo("The hub has no such model with ONNX files.", err=True)
