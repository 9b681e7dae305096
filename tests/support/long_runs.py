"""What the long runs share: where their pieces are kept, processes that do a piece, pages and numbers for readers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.bench.machine import commit, describe_machine
from tools.lock import ROOT

LONGEST = 3600.0
"""Seconds that one piece may take."""


def work_folder(name: str, variant: str = "") -> tuple[str, Path]:
    """The commit, and where the pieces of ``make test-long-NAME`` lie, ``variant`` behind its name: an interrupted run
    goes on where it was. With files changed since the commit it is empty."""
    head = commit(ROOT)
    folder = ROOT / ".work" / f"test-long-{name}" / f"{head or 'unknown'}{variant}"
    if not head or head.endswith("+"):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return head, folder


def machine() -> dict[str, Any]:
    """Where it ran; no speed is measured here."""
    found = describe_machine()
    found.pop("read_gb_per_s", None)
    return found


def piece(
    out: Path, command: Sequence[str], *, accepted: Sequence[int] = (0,), keeps_output: bool = False
) -> dict[str, Any] | None:
    """What this command has found, now or before; None if it failed. ``accepted``: exit codes of those that have not.
    ``keeps_output``: what it prints is the result, JSON; else it writes ``out``."""
    begun = time.monotonic()
    was_done = out.exists()
    if not was_done:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST)
        if done.returncode not in accepted or (keeps_output and not done.stdout.startswith("{")):
            said = f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            print(f"[long] {out.stem} FAILED\n{said}", file=sys.stderr, flush=True)
            return None
        if keeps_output:
            out.write_text(done.stdout, encoding="utf-8")
    print(f"[long] {out.stem}: {'done before' if was_done else f'{time.monotonic() - begun:.0f} s'}", flush=True)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def report(problems: Sequence[str]) -> None:
    """Say what is not as it should be."""
    for problem in problems:
        print(f"[long] {problem}", file=sys.stderr)


def store(name: str, results: Mapping[str, Any], page: str) -> None:
    """Write ``docs/test-results/NAME.json`` and ``.md``."""
    folder = ROOT / "docs" / "test-results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(page, encoding="utf-8")
    print(f"[long] written to {folder.relative_to(ROOT).as_posix()}")
