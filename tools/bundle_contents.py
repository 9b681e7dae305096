"""What is in a bundle, whose it is, and what must not be in it. Standard library only, apart from reading the archive.

The table of parts is `installers/licences/parts.toml`.
"""

import fnmatch
import importlib.metadata
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "installers" / "licences"
TABLE = TEXTS / "parts.toml"
MAX_BYTES = 400_000_000
_TEXT = re.compile(r"licen[cs]e|copying|notice|copyright|authors", re.IGNORECASE)
_LIBRARY = re.compile(r"\.(so(\.[0-9.]+)?|dll|pyd|dylib)$")
_GPL = re.compile(r"\bA?GPL\b|\bA?GPL-")


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the table."""

    name: str
    licence: str
    source: str
    files: tuple[str, ...] = ()
    distribution: str = ""
    text: str = ""
    debian: str = ""


def read_table(path: Path = TABLE) -> list[Part]:
    """All parts. `ValueError` for one that lacks its licence or source."""
    parts = []
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if not entry.get("licence") or not str(entry.get("source", "")).startswith("https://"):
            raise ValueError(f"{path.name}: {name} needs a licence and the address of its source.")
        parts.append(
            Part(
                name,
                entry["licence"],
                entry["source"],
                tuple(entry.get("files", ())),
                entry.get("distribution", ""),
                entry.get("text", ""),
                entry.get("debian", ""),
            )
        )
    return parts


def is_free_of_gpl(licence: str) -> bool:
    """Whether one can keep to the licence without the GPL: one choice of an OR must do; the LGPL is no GPL.

    A part under the GPL WITH an exception counts as free of it: the exception takes the program around the part out of
    the GPL. PyInstaller's lets what its bootloader starts be passed on under any terms, GCC's the same with what was
    compiled with it and is linked to its runtime libraries. For the parts themselves the GPL holds; their texts lie in
    the bundle, with where their sources are.
    """
    choices = re.split(r"\s+OR\s+", licence.replace("(", "").replace(")", ""))
    return any(
        all(not _GPL.search(term) or "LGPL" in term or " WITH " in term for term in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


def libraries(bundle: Path) -> list[str]:
    """Every shared library, as a path below `_internal`."""
    inside = bundle / "_internal"
    return sorted(
        path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file() and is_library(path)
    )


def is_library(path: Path) -> bool:
    """By name, or by its first bytes whatever its name is."""
    if _LIBRARY.search(path.name):
        return True
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def owner(library: str, parts: Iterable[Part]) -> Part | None:
    """The part that a library belongs to."""
    for part in parts:
        if any(fnmatch.fnmatchcase(library, pattern) for pattern in part.files):
            return part
    return None


def problems_of_libraries(names: Sequence[str], parts: Sequence[Part]) -> list[str]:
    """What is wrong with these libraries: unknown, or under the GPL."""
    found = []
    for name in names:
        part = owner(name, parts)
        if part is None:
            found.append(f"{name}: nobody knows whose it is; enter it in {TABLE.name}, or leave it out")
        elif not is_free_of_gpl(part.licence):
            found.append(f"{name}: {part.name} is under {part.licence}")
    return found


def modules(bundle: Path) -> dict[str, bytes]:
    """Every Python module in the executable's archive, as its marshalled code."""
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(executable(bundle)))
    (name,) = (name for name, entry in archive.toc.items() if entry[-1] == "z")
    inside = archive.open_embedded_archive(name)
    return {module: inside.extract(module, raw=True) or b"" for module in inside.toc}


def executable(bundle: Path) -> Path:
    """The one program of a bundle."""
    return bundle / ("gentorrent.exe" if sys.platform == "win32" else "gentorrent")


def distributions(names: Iterable[str]) -> set[str]:
    """The installed packages that modules of these names come from, without Python's own and ours."""
    known = importlib.metadata.packages_distributions()
    found: set[str] = set()
    for top in {name.partition(".")[0] for name in names}:
        if top not in ("app", "engine", "av"):  # av: our stand-in
            found |= {normal(name) for name in known.get(top, ())}
    return found


def normal(name: str) -> str:
    """A package's name as the locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def problems_of_packages(names: Iterable[str], parts: Sequence[Part]) -> list[str]:
    """Which packages are unknown or under the GPL."""
    table = {normal(part.name): part for part in parts}
    found = []
    for name in sorted(names):
        if name not in table:
            found.append(f"the Python package {name} stands in no part of {TABLE.name}")
        elif not is_free_of_gpl(table[name].licence):
            found.append(f"the Python package {name} is under {table[name].licence}")
    return found


def problems_of_paths(contents: Mapping[str, bytes], places: Sequence[str]) -> list[str]:
    """Which contents name a place of the machine that the bundle was built on."""
    return [
        f"{name} names {place}" for name, content in contents.items() for place in places if place.encode() in content
    ]


def size(bundle: Path) -> int:
    """Bytes of all files, links not counted twice."""
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file() and not path.is_symlink())


def texts_of(part: Part) -> list[Path]:
    """The files with a part's licence and notices. Empty when there are none, which is an error of the table."""
    if part.text == "python":
        return [Path(sys.base_prefix) / "lib" / f"python3.{sys.version_info.minor}" / "LICENSE.txt"]
    if part.text:
        # Version 3 of the LGPL is a supplement to version 3 of the GPL, and both texts must go along.
        more = [TEXTS / "GPL-3.0.txt"] if part.text == "LGPL-3.0.txt" else []
        return [TEXTS / part.text, *more]
    if part.debian:
        return [Path("/usr/share/doc") / part.debian / "copyright"]
    try:
        files = importlib.metadata.distribution(part.distribution or part.name).files or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [
        Path(str(file.locate()))
        for file in files
        if _TEXT.search(file.name) and file.suffix not in (".py", ".pyc", ".pyi") and len(file.parts) <= 4
    ]


def version_of(part: Part) -> str:
    """The version of a part that is a Python package; empty for others."""
    try:
        return importlib.metadata.version(part.distribution or part.name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def write_licences(bundle: Path, parts: Sequence[Part], version: str) -> list[str]:
    """Write the folder `licences` of a bundle; returns which parts have no text."""
    folder = bundle / "licences"
    folder.mkdir()
    (folder / "GenTorrent.txt").write_bytes((ROOT / "LICENSE").read_bytes())
    listed = [
        {"name": "GenTorrent", "version": version, "licence": "Apache-2.0", "source": "", "texts": ["GenTorrent.txt"]}
    ]
    missing = []
    for part in parts:
        content = b"\n\n".join(path.read_bytes().strip() for path in texts_of(part) if path.is_file())
        if not content:
            missing.append(f"{part.name}: no licence text was found")
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", part.name) + ".txt"
        (folder / name).write_bytes(content + b"\n")
        own = "" if part.distribution else version_of(part)
        listed.append(
            {"name": part.name, "version": own, "licence": part.licence, "source": part.source, "texts": [name]}
        )
    (folder / "index.json").write_text(json.dumps({"parts": listed}, indent=1) + "\n", encoding="utf-8")
    (folder / "README.txt").write_bytes((TEXTS / "README.txt").read_bytes())
    return missing
