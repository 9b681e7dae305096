"""The lock files: complete, hashed, free of addresses, and of one mind with pyproject.toml."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import engine
from tools import lock

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entries(level: str) -> dict[str, str]:
    return lock.locked(ROOT / "requirements" / f"{level}.lock")


@pytest.mark.parametrize("level", lock.LEVELS)
def test_every_line_of_a_lock_is_a_pin_a_hash_or_the_level_before(level):
    text = (ROOT / "requirements" / f"{level}.lock").read_text(encoding="utf-8")
    body = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    position = lock.LEVELS.index(level)
    if position:
        include = f"-r {lock.LEVELS[position - 1]}.lock\n"
        assert body.startswith(include)
        body = body.removeprefix(include)
    pins = r"[a-z0-9][a-z0-9.-]*==[0-9][\w.+!]*( ; [^\\\n]+)? \\\n"
    hashes = r"(    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n"
    assert re.fullmatch(f"({pins}{hashes})+", body)


@pytest.mark.parametrize("level", lock.LEVELS)
def test_a_lock_names_no_index_and_no_place_on_a_machine(level):
    text = (ROOT / "requirements" / f"{level}.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|trusted-host|file:| @ ", text)


def test_no_package_is_pinned_twice_and_torch_is_nowhere():
    names = [name for level in lock.LEVELS for name in entries(level)]
    assert len(names) == len(set(names))
    assert "torch" not in names


@pytest.mark.parametrize("level", lock.LEVELS)
def test_what_pyproject_asks_for_is_locked_in_its_level_within_its_range(level):
    available: dict[str, str] = {}
    for name in lock.LEVELS[: lock.LEVELS.index(level) + 1]:
        available |= entries(name)
    for line in lock.requirements_by_level()[level]:
        requirement = Requirement(line)
        entry = available[canonicalize_name(requirement.name)]
        pinned = re.match(r"[^=]+==([^ ;]+)", entry)
        assert pinned is not None
        assert requirement.specifier.contains(pinned[1]), line


def test_the_levels_together_are_what_pyproject_asks_for():
    asked = {*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"], *lock.BUILD}
    assert asked == set(lock.requirements_by_level()["dev"])
    assert not [line for line in lock.requirements_by_level()["engine"] if lock.normalised(line) in lock.WINDOW]


def test_the_engine_level_brings_no_qt():
    assert not {"pyside6-essentials", "shiboken6", "qasync"} & entries("engine").keys()
    assert {"pyside6-essentials", "shiboken6", "qasync"} <= entries("app").keys()


def test_the_version_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "engine/__init__.py"
    assert version("gentorrent") == engine.__version__
    elsewhere = [
        path
        for folder in ("app", "engine")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^__version__\s*=", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert elsewhere == [ROOT / "engine" / "__init__.py"]
    assert f"## {engine.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", ["app", "engine"])
def test_every_library_that_is_imported_is_declared(package):
    declared = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    owners = packages_distributions()
    undeclared = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        for name in imported_names(path):
            if name in sys.stdlib_module_names or name in ("app", "engine"):
                continue
            distributions = {canonicalize_name(owner) for owner in owners.get(name, ["(not installed)"])}
            allowed = declared | pinned_peers() if runs_in_the_peers_environment(path) else declared
            distributions |= {canonicalize_name(name), canonicalize_name(f"{name}-python")}
            if not distributions & allowed:
                undeclared[name] = path.relative_to(ROOT).as_posix()
    assert undeclared == {}


def runs_in_the_peers_environment(path: Path) -> bool:
    """Whether the file is a program of `.venv-peers`, which requirements/peers.txt describes."""
    folder = path.relative_to(ROOT).parent.as_posix()
    return folder in ("engine/bench/drivers", "engine/bench/making")


def pinned_peers() -> set[str]:
    """The names in requirements/peers.txt."""
    lines = (ROOT / "requirements" / "peers.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}


def imported_names(path: Path) -> set[str]:
    """The top-level names of the modules that the file at `path` imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
