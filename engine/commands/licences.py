"""``gentorrent licences``: what a bundle contains, by whom, and under which licence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import ResourceMissingError
from engine.programs import frozen

FOLDER = "licences"
INDEX = "index.json"


def run(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the list.")] = False,
) -> None:
    """List the parts of this installation with their licences, and where the texts are."""
    if not frozen():
        text = (
            "GenTorrent is under the Apache License 2.0. The packages that it uses were installed beside it, each with "
            "its own licence in its .dist-info folder; only a bundle brings them along, with one folder of all texts."
        )
        print(json.dumps({"gentorrent": "Apache-2.0", "parts": []}) if json_output else text)
        return
    folder = Path(sys.executable).resolve().parent / FOLDER
    try:
        content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ResourceMissingError(
            f"The folder {folder} is missing or damaged. Copy the whole GenTorrent folder again."
        ) from None
    if json_output:
        print(json.dumps(content))
        return
    width = max(len(part["name"]) for part in content["parts"])
    for part in content["parts"]:
        print(f"{part['name']:<{width}}  {part['version']:<12}  {part['licence']}")
    print(f"\nThe texts and the notices are in {folder}.")
