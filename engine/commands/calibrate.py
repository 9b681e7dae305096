"""``gentorrent calibrate``: how honest answers of a model differ from those of cheats, measured on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.config import find_data_directory
from engine.errors import ConfigurationError


def run(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="An installed model (NAME or NAME:VARIANT), or the path of a folder."),
    ] = "gentorrent-builtin",
    tokens: Annotated[
        int, typer.Option(min=2_000, max=10_000_000, metavar="N", help="Tokens for each way of answering.")
    ] = 20_000,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the five ways that decide most; 4000 tokens each at most.")
    ] = False,
    half: Annotated[
        bool,
        typer.Option(
            help="Whether computing in half precision is honest; without it only for machines that compute as this one "
            "does. Slow for large models on a processor."
        ),
    ] = True,
    in_full: Annotated[
        bool,
        typer.Option("--in-full", help="Calibrate the model with its weights in float32 (also its 16-bit versions)."),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The weights that a quantised model was made from (model.safetensors); those of the built-in model "
            "are found in a checkout.",
        ),
    ] = None,
    smaller: Annotated[
        str, typer.Option(metavar="MODEL", help="Another model with the same tokenizer, as a cheat would serve it.")
    ] = "",
    python: Annotated[
        Path | None,
        typer.Option(
            metavar="PROGRAM",
            help="In a checkout: Python of another environment, with another ONNX Runtime, for honest noise.",
        ),
    ] = None,
    family: Annotated[
        str, typer.Option(metavar="NAME", help="The result counts for every model of this family, not for one digest.")
    ] = "",
    work: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Where records are kept; a run that was broken off goes on from them."),
    ] = Path(".work/calibration"),
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Calibration file that the result is put into (FOLDER/calibration.json)."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory. GENTORRENT_DATA, or your user account's own.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure honest noise and the least visible cheats of a model, for verifiers.

    Real workers answer in many ways (alone and together, in pieces, from the cache, with more threads, in half
    precision) and as cheats do (weights of 4 bits in several schemes, fewer layers, another temperature, another seed,
    a foreign text, half of the prompt); the model reads all answers and says how far each token is from its own choice.
    Half an hour for the built-in model on two processors. Other programs change the time only.
    """
    import asyncio

    from engine.bench.verification import calibrate as tool
    from engine.bench.verification.calibrating import table
    from engine.storage.data_directory import DataDirectory
    from engine.verification.scoring.calibration import write_calibrations

    for name, path in (("--weights", weights), ("--python", python)):
        if path is not None and not path.is_file():
            raise ConfigurationError(f"{name} {path} is not a file.")
    wanted = tool.Wanted(
        model=model,
        models=DataDirectory(find_data_directory(data, os.environ)).models,
        work=work,
        tokens=min(tokens, 4_000) if quick else tokens,
        quick=quick,
        half=half,
        in_full=in_full,
        weights=weights,
        smaller=smaller,
        python=python,
        family=family,
    )
    entry = asyncio.run(tool.run(wanted, lambda line: print(f"[calibrate] {line}", file=sys.stderr, flush=True)))
    place = output or work / "calibration.json"
    tool.add_to_file(place, entry)
    if json_output:
        typer.echo(write_calibrations([entry]).decode())
        return
    for line in table(entry):
        typer.echo(line)
    typer.echo(f"Written to {place}.")
