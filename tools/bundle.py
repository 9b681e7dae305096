"""Builds the bundle: a folder with one executable that needs no Python (`make bundle`), and checks what is in it.

`python -m tools.bundle` builds `dist/GenTorrent` with PyInstaller; `--check` looks at one that is there; `--if-changed`
builds only when the one that is there was made of other sources.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from engine import __version__
from tools import bundle_contents as contents

SPECIFICATION = contents.ROOT / "installers" / "pyinstaller" / "gentorrent.spec"
BUNDLE = contents.ROOT / "dist" / "GenTorrent"
WORK = contents.ROOT / "build" / "pyinstaller"
SOURCES = ("app", "engine", "resources", "installers", "requirements", "pyproject.toml", "tools/bundle.py")
STAMP = contents.ROOT / "build" / "bundle.sha256"
"""Of the sources that the bundle was made of."""


def main() -> int:
    """Do what the command line asks for; 0 if the bundle is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tools.bundle", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build nothing, look at dist/GenTorrent")
    parser.add_argument("--if-changed", action="store_true", help="build only if the sources are others")
    options = parser.parse_args()
    there = options.check or (options.if_changed and BUNDLE.is_dir() and made_of() == digest_of_sources())
    problems = [] if there else build()
    if not BUNDLE.is_dir():
        print("There is no bundle. Build it with: make bundle", file=sys.stderr)
        return 1
    problems += check(BUNDLE)
    for problem in problems:
        print(f"bundle: {problem}", file=sys.stderr)
    if not problems:
        count = len(contents.libraries(BUNDLE))
        print(f"{BUNDLE}: {contents.size(BUNDLE) / 1e6:.0f} MB, {count} shared libraries, none under the GPL")
    return 1 if problems else 0


def build() -> list[str]:
    """Make the bundle anew; returns what is wrong with its licences."""
    STAMP.unlink(missing_ok=True)
    # The same hashes and the same times in every build of a commit.
    environment = os.environ | {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": committed_at()}
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(BUNDLE.parent), "--workpath", str(WORK)]
    subprocess.run([*command, *places, str(SPECIFICATION)], cwd=contents.ROOT, env=environment, check=True)
    shutil.rmtree(BUNDLE / "licences", ignore_errors=True)
    problems = contents.write_licences(BUNDLE, used(BUNDLE, contents.read_table()), __version__)
    if not problems:
        STAMP.write_text(digest_of_sources())
    return problems


def made_of() -> str:
    """The digest of the sources of the bundle that is there; empty if it is not whole."""
    return STAMP.read_text() if STAMP.is_file() else ""


def digest_of_sources() -> str:
    """Of all that a bundle is made of, apart from the installed packages, which the locks name."""
    digest = hashlib.sha256()
    for name in SOURCES:
        place = contents.ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(contents.ROOT).as_posix()}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def used(bundle: Path, parts: list[contents.Part]) -> list[contents.Part]:
    """The parts of the table that this bundle contains."""
    packages = contents.distributions(contents.modules(bundle))
    owners = {contents.owner(library, parts) for library in contents.libraries(bundle)}
    return [part for part in parts if part in owners or contents.normal(part.name) in packages or is_bootloader(part)]


def is_bootloader(part: contents.Part) -> bool:
    """It is the executable itself."""
    return part.distribution == "pyinstaller"


def committed_at() -> str:
    """When the newest commit was made, in seconds; a fixed time outside a checkout."""
    result = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=contents.ROOT, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "1767225600"


def check(bundle: Path) -> list[str]:
    """Everything that is wrong with a bundle."""
    parts = contents.read_table()
    code = contents.modules(bundle)
    problems = contents.problems_of_libraries(contents.libraries(bundle), parts)
    problems += contents.problems_of_packages(contents.distributions(code), parts)
    problems += contents.problems_of_paths(code, [str(contents.ROOT)])
    for name, content in files(bundle):
        problems += contents.problems_of_paths({name: content}, [str(contents.ROOT)])
    if not (bundle / "licences" / "index.json").is_file():
        problems.append("the folder licences is missing")
    if contents.size(bundle) >= contents.MAX_BYTES:
        problems.append(f"it has {contents.size(bundle) / 1e6:.0f} MB; {contents.MAX_BYTES / 1e6:.0f} are allowed")
    return problems


def files(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its content, one at a time."""
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(bundle).as_posix(), path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
