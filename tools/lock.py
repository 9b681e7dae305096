"""Write the lock files in `requirements/` from pyproject.toml: exact versions with hashes for all platforms.

One universal resolution decides all versions; the three levels of `tools/setup.py` are cut out of it, each file naming
only what it adds to the one before. `uv` resolves against the public index, whatever index this machine is set up
for, so that no address and no local file gets into the files.

`python tools/lock.py` keeps the versions that are locked and still fit; `--upgrade` takes the newest.
"""

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
LEVELS = ("engine", "app", "dev")
#: The packages of the window: the only ones that the headless engine does without.
WINDOW = ("pyqtgraph", "pyside6-essentials", "qasync")
#: What `tools/setup.py` itself needs: pip where there is none, and the build backend for the editable install.
BUILD = ("pip>=25", "hatchling>=1.27", "editables>=0.5")
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==[^\n]*\n(?:    --hash[^\n]*\n)+", re.MULTILINE)
HEADER = """\
# Written by `make lock` from pyproject.toml; do not edit.
# Exact versions, with the hashes of the files for all platforms.
"""


def main() -> int:
    """Write the three files; the exit status is uv's."""
    parser = argparse.ArgumentParser(description="Write requirements/*.lock.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    wanted = requirements_by_level()
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "dev.txt"
        if not upgrade:
            entries = [entry for name in LEVELS for entry in locked(FOLDER / f"{name}.lock").values()]
            everything.write_text("".join(entries), encoding="utf-8")
        resolve(wanted["dev"], everything, Path(folder), constraint=None)
        already: set[str] = set()
        for level in LEVELS:
            output = Path(folder) / f"{level}.lock"
            resolve(wanted[level], output, Path(folder), constraint=everything)
            found = locked(output)
            added = [entry for name, entry in found.items() if name not in already]
            already |= found.keys()
            before = LEVELS[LEVELS.index(level) - 1] if level != LEVELS[0] else None
            include = f"-r {before}.lock\n" if before else ""
            (FOLDER / f"{level}.lock").write_text(HEADER + include + "".join(added), encoding="utf-8")
            print(f"requirements/{level}.lock: {len(added)} packages")
    return 0


def requirements_by_level() -> dict[str, list[str]]:
    """The requirements of pyproject.toml for each level; each level includes those before it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    window = [line for line in runtime if normalised(line) in WINDOW]
    engine = [line for line in runtime if normalised(line) not in WINDOW] + list(BUILD)
    return {
        "engine": engine,
        "app": engine + window,
        "dev": engine + window + project["dependency-groups"]["dev"],
    }


def resolve(requirements: list[str], output: Path, folder: Path, constraint: Path | None) -> None:
    """Let uv resolve `requirements` for every platform and Python from 3.11 on into `output`."""
    source = folder / "wanted.in"
    source.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    command = [str(uv), "pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.11", "--no-config"]
    command += ["--fork-strategy", "fewest", "--no-header", "--no-annotate", "--quiet"]
    command += ["--output-file", str(output)]
    if constraint:
        command += ["--constraint", str(constraint)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    # The certificates of the machine, which a proxy may need; uv's own list otherwise.
    clean["UV_SYSTEM_CERTS"] = "1"
    subprocess.run([*command, str(source)], check=True, env=clean)


def locked(lock: Path) -> dict[str, str]:
    """The entries of a lock file by package name: several lines each, the last ending in a newline."""
    if not lock.exists():
        return {}
    text = lock.read_text(encoding="utf-8")
    entries: dict[str, str] = {}
    for match in ENTRY.finditer(text):
        name = normalised(match["name"])
        entries[name] = entries.get(name, "") + match[0]
    return entries


def normalised(requirement: str) -> str:
    """The normalised name (PEP 503) at the beginning of a requirement."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


if __name__ == "__main__":
    sys.exit(main())
