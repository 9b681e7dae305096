"""The parts of ``gentorrent bench verification``: each can be measured alone, at a time that suits it, and says when,
where and by which commit it was; the others stay as they were stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import BenchmarkError

NETWORKS, LIARS, RECORDED, SCORING, SECURITY = "networks", "liars", "recorded", "scoring", "security"
PARTS = {
    NETWORKS: "simulated networks, both rules and other adversaries: computed, the same wherever it runs",
    LIARS: "poisoned caches, fake identities and censoring leaders, simulated: the same wherever it runs",
    RECORDED: "4-bit weights told from full ones, of answers that `tell-apart` recorded: computed",
    SCORING: "what scoring an answer takes: processor seconds, so other programs matter little",
    SECURITY: "what sealing, receipts and verification take: timed, on a machine that does nothing else",
}
"""Name, and what it is."""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The parts with these names in the order in which they are measured, all for none; :class:`BenchmarkError` for a
    name that is none of theirs."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise BenchmarkError(f"--part {unknown[0]!r} is not known. Choose from: {', '.join(PARTS)}.")
    return tuple(part for part in PARTS if part in names or not names)


def stored(folder: Path) -> dict[str, Any]:
    """What a run before has stored in this folder, each part with what it was measured by."""
    file = folder / "verification.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if "parts" not in found:  # a run of everything, by a version that knew no parts
            versions = found["versions"]
            found["parts"] = {name: {"commit": versions["commit"], "date": ""} for name in PARTS}
            found["parts"][SECURITY]["machine"] = found["parts"][SCORING]["machine"] = found["machine"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{file} holds no earlier run to take the other parts from ({error}). Run without --part first, or name"
            " with --output where one was stored."
        ) from error
    return dict(found)


def lines_of(results: Mapping[str, Any]) -> list[str]:
    """For the page: by what each part was measured."""
    found = []
    for name, what in PARTS.items():
        one = results["parts"].get(name)
        if one is not None:
            machine = one.get("machine")
            where = f"; {machine['processor']}, {machine['processors']} processors" if machine else ""
            found.append(f"- *{name}* ({what}): commit {one['commit'] or 'unknown'}, {one['date'] or 'undated'}{where}")
    return found
