"""The shape of the repository: import rules name what exists, packages describe themselves, make explains itself."""

import ast
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PURE = (
    "chats/tree",
    "chats/words",
    "crypto",
    "directory",
    "forwarding",
    "governor",
    "paths",
    "verification",
    "wire",
    "inference/sampling",
    "inference/scheduling",
    "inference/text/answer_parts",
    "inference/text/call_notations",
    "inference/text/call_reader",
    "inference/text/decoder",
    "inference/text/json_call",
    "inference/text/parts",
    "library/catalogue",
    "library/fit",
    "library/manifests",
    "library/names",
    "library/progress",
    "library/selection",
)


def contract(identifier: str) -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (found,) = (entry for entry in project["tool"]["importlinter"]["contracts"] if entry["id"] == identifier)
    return found


def test_every_pure_package_that_exists_is_held_to_the_contract():
    existing = {
        "engine." + name.replace("/", ".")
        for name in PURE
        if (ROOT / "engine" / f"{name}.py").is_file() or (ROOT / "engine" / name / "__init__.py").is_file()
    }
    assert existing == set(contract("pure")["source_modules"])


def test_every_part_of_the_engine_has_its_layer():
    placed = {name.strip(" ()") for layer in contract("layers")["layers"] for name in layer.split(":")}
    parts = {f"engine.{path.name}" for path in (ROOT / "engine").iterdir() if (path / "__init__.py").is_file()}
    parts |= {f"engine.{path.stem}" for path in (ROOT / "engine").glob("*.py") if path.stem != "__init__"}
    assert parts <= placed


def test_every_package_says_what_it_is_and_what_it_is_not():
    silent = []
    for folder in ("app", "engine"):
        for path in (ROOT / folder).rglob("__init__.py"):
            text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").lower()
            if not any(word in text for word in (" not ", " no ", "neither", "never", "nothing")):
                silent.append(path.relative_to(ROOT).as_posix())
    assert silent == []


def test_make_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = {line.split(":")[1].strip() for line in makefile.splitlines() if line.startswith(".PHONY:")}
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in shown.splitlines() if line.startswith("  make ")}
    assert listed == phony - {"dev", "torch"}  # inner steps of the others


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
