"""`make test-bundle`: builds the bundle anew, tries it in an empty root, and writes docs/test-results/bundle.md and
.json if all is well."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bundle.empty_root import BASE, DESKTOP, EmptyRoot, missing
from tests.support.long_runs import machine, report, store, work_folder
from tools import bundle_contents
from tools.bundle import BUNDLE, used
from tools.lock import ROOT


def main() -> int:
    """0 if there are no problems."""
    lacks = missing()
    if lacks:
        report([f"an empty root needs {lacks}"])
        return 1
    for command in (["-m", "tools.bundle"], ["-m", "pytest", "-q", "tests/bundle"]):
        if subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode != 0:
            return 1
    head, _ = work_folder("bundle")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    results = {"commit": head, "machine": machine(), **found}
    store("bundle", results, as_markdown(results))
    return 0


def measure(folder: Path) -> dict[str, Any]:
    """What is in the bundle, and how long its own test and the demo take without Python on the machine."""
    server, desktop = EmptyRoot(folder / "server", BUNDLE, BASE), EmptyRoot(folder / "desktop", BUNDLE, DESKTOP)
    parts = used(BUNDLE, bundle_contents.read_table())
    return {
        "bytes": bundle_contents.size(BUNDLE),
        "program_bytes": bundle_contents.executable(BUNDLE).stat().st_size,
        "shared_libraries": len(bundle_contents.libraries(BUNDLE)),
        "licences": {part.name: part.licence for part in parts},
        "around_it": [place.rpartition("/")[2] for place in server.files()],
        "self_test": said(server.run("--self-test", "--json")),
        "with_window": said(desktop.run("--self-test", "--window", "--json")),
        "demo": said(server.run("demo", "--json", seconds=240)),
    }


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object that it printed."""
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


EXCEPTIONS = (
    "`GPL … WITH …-exception` is no GPL for the program around such a part, and the check counts it as free of it:"
    " PyInstaller's exception lets what its bootloader starts be passed on under any terms, and GCC's the same with"
    " what was compiled with it and is linked to its runtime libraries. The GPL holds for the parts themselves, which"
    " are passed on as their makers publish them, with their texts and where their sources are in the folder"
    " `licences`."
)


def _about(results: Mapping[str, Any]) -> str:
    names = ", ".join(f"`{name}`" for name in results["around_it"])
    return (
        f"`make test-bundle` at commit {results['commit']}: built by PyInstaller, then started in a file system of its"
        f" own that has the bundle (read-only), /dev, /proc, an empty /tmp and {len(results['around_it'])} files:"
        f" {names}. No Python, no shell, no Qt. For the window, the libraries of a desktop are there, too."
    )


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    licences: dict[str, list[str]] = {}
    for name, licence in results["licences"].items():
        licences.setdefault(licence, []).append(name)
    return "\n".join(
        [
            "# The bundle",
            "",
            _about(results),
            "",
            "| what | |",
            "|---|---|",
            f"| size, without CUDA (400 MB allowed) | {results['bytes'] / 1e6:.0f} MB |",
            f"| the executable of it | {results['program_bytes'] / 1e6:.0f} MB |",
            f"| shared libraries, each with its licence known | {results['shared_libraries']} |",
            *(f"| {step['name']} | {step['seconds']:.1f} s |" for step in results["with_window"]["steps"]),
            f"| `demo` in there: answered after | {results['demo']['first_answer_s']:.1f} s |",
            "",
            "Licences of what is inside:",
            "",
            *(f"- {licence}: {', '.join(sorted(names))}" for licence, names in sorted(licences.items())),
            "",
            *([EXCEPTIONS, ""] if any(" WITH " in licence for licence in licences) else []),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
