"""What every benchmark stores beside each other: numbers as JSON, a page for readers, a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import BenchmarkError

DISTURBED = 0.15
"""Of one processor, used by other programs meanwhile: beyond it results are named as disturbed."""


def results_folder() -> Path:
    """Where results go unless ``--output`` names another folder."""
    return Path(__file__).resolve().parents[2] / ".work" / "bench" / "results"


def store_results(name: str, results: Mapping[str, Any], page: str, picture: str, folder: Path) -> list[Path]:
    """Write ``name``.json, .md and .svg; :class:`BenchmarkError` when they cannot be written."""
    files = {
        f"{name}.json": msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n",
        f"{name}.md": page.encode(),
        f"{name}.svg": picture.encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
    except OSError as error:
        raise BenchmarkError(
            f"The results cannot be written to {folder} ({error.strerror}). Name another folder with --output."
        ) from error
    return [folder / file for file in files]


def make_page(
    title: str,
    command: str,
    picture: str,
    results: Mapping[str, Any],
    *,
    findings: Sequence[str],
    method: str,
    program: str = "gentorrent",
) -> str:
    """Markdown: picture, ``findings`` (lines), method, then machine and versions out of ``results``.
    ``program``: whose ``command`` it is."""
    facts = [
        f"- {name.replace('_', ' ')}: {value}" for name, value in {**results["machine"], **results["versions"]}.items()
    ]
    quick = " --quick" if results.get("quick") else ""
    return "\n".join(
        [
            f"# {title}",
            "",
            f"Written by `{program} {command}{quick}`; do not edit.",
            "",
            f"![{title}]({picture})",
            "",
            *findings,
            "",
            "## Method",
            "",
            method.strip(),
            "",
            "## Machine and versions",
            "",
            *facts,
            "",
        ]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table, padded for terminals; all columns but the first hold numbers."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    lines = [f"| {' | '.join(row)} |" for row in padded]
    dashes = [("-" * width, "-" * (width - 1) + ":")[column > 0] for column, width in enumerate(widths)]
    return [lines[0], f"| {' | '.join(dashes)} |", *lines[1:]]


def disturbance(results: Mapping[str, Any]) -> list[str]:
    """A line that names what other programs used, when it was too much."""
    share = results["other_programs"]
    if share <= DISTURBED:
        return []
    return ["", f"- Other programs used {share:.0%} of a processor meanwhile; these numbers could be better."]
