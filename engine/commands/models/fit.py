"""``gentorrent models fit``: which models this machine can run, and about how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.commands.models.shared import (
    Data,
    Json,
    data_directory,
    models_folder,
    split_variant,
    this_machine,
    unknown,
)
from engine.commands.terminal import harmless
from engine.errors import UnknownModelError

if TYPE_CHECKING:
    from engine.library.fit import Fit, Machine

FAST = 200
"""Tokens per second from which on other things than memory decide, so that the estimate means little."""


def fit(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL[:VARIANT]", help="A model of the catalogue or of this machine; without it all of them."
        ),
    ] = None,
    context: Annotated[int, typer.Option(min=1, max=1 << 24, help="Tokens of question and answer together.")] = 4096,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the memory's speed again: it was busy the first time, say.")
    ] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Estimate memory and tokens per second of one answer on this machine, and say which variant to take.

    The speed of the memory is measured once (about a second). Verdicts: "fits", "tight" (close other programs
    first), "does not fit" (in JSON "does_not_fit"), "unknown" (the size of the files is not known yet). Exit code 1
    if the model that was asked for does not fit.
    """
    machine = this_machine(data, measure)
    name, variant = split_variant(model, None) if model else ("", "")
    rows = _rows(name, variant, context, machine, data)
    if json_output:
        import msgspec

        told = {"machine": machine, "models": rows}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        _show(machine, rows, bool(model))
    verdicts = [row["verdict"] for row in rows if row["recommended"]]
    if model and "does_not_fit" in verdicts:
        raise typer.Exit(1)


def _rows(name: str, variant: str, context: int, machine: Machine, data: Data) -> list[dict[str, Any]]:
    """One row for every model; for a single one, one for every variant."""
    from engine.library.candidates import candidates
    from engine.library.fit import estimate, recommended
    from engine.library.known import known_models

    known = known_models(data_directory(data))
    chosen = candidates(known, models_folder(data), name)
    if not chosen:
        raise unknown(name, known)
    rows = []
    for one in chosen:
        room = min(context, one.context) if one.context else context
        best = recommended(one.variants, one.kv, room, machine)
        fits = [best] if best else []
        if name:
            fits += [
                estimate(other, one.kv, room, machine, best.device)
                for other in one.variants
                if best and other.name != best.variant and not other.problem
            ]
        if variant:
            fits = [other for other in fits if other.variant == variant]
            if not fits:
                names = ", ".join(other.name for other in one.variants) or "none that is known before a download"
                raise UnknownModelError(f"{one.name} has no variant {variant[:100]!r}. It has: {names}.")
        rows += [_row(one.name, other, other is best or bool(variant)) for other in fits]
        if not fits:
            rows.append({"model": one.name, "verdict": "unknown", "recommended": True})
    return rows


def _row(name: str, fit: Fit, best: bool) -> dict[str, Any]:
    import msgspec

    return {"model": name, "recommended": best, **msgspec.to_builtins(fit)}


def _show(machine: Machine, rows: list[dict[str, Any]], single: bool) -> None:
    from engine.library.sizes import gigabytes

    gpu = f", {harmless(machine.gpu)} with {gigabytes(machine.gpu_memory)}" if machine.gpu_memory else ""
    typer.echo(
        f"This machine: {gigabytes(machine.memory)} of memory ({gigabytes(machine.available)} free), read at "
        f"{machine.read_speed / 1e9:.0f} GB/s{gpu}. Estimates:",
        err=True,
    )
    for row in rows:
        name = harmless(row["model"])
        if "variant" not in row:
            typer.echo(f"{name:34} {'unknown':13} its files are not pinned: the download will tell")
            continue
        title = f"{name}:{harmless(row['variant'])}"
        need = gigabytes(row["memory"]) if row["memory"] else "?"
        star = "  <- take this one" if single and row["recommended"] and len(rows) > 1 else ""
        device = " on the graphics card" if row["device"] == "gpu" else ""
        speed = f"about {row['tokens_per_s']:.0f}" if row["tokens_per_s"] < FAST else f"more than {FAST}"
        typer.echo(f"{title:52} {row['verdict'].replace('_', ' '):13} {need:>8}  {speed} tokens/s{device}{star}")
