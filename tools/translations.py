"""Collect the window's texts for translators and compile what they wrote, with Qt's lupdate and lrelease.

`make translations` writes resources/app/translations: gentorrent_CODE.ts for people, gentorrent_CODE.qm for the
program. A new language: `make translations ARGS=fr`, translate the new .ts file (Qt Linguist or any editor), and run
`make translations` again. `--check` writes nothing and says what is not up to date.
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "app" / "translations"
PREFIX = "gentorrent_"
SOURCE_LANGUAGE = "en"
SECONDS = 120


def main() -> int:
    """Update or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", nargs="*", help="codes of languages to begin, such as fr or pt_BR")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is not up to date")
    given = parser.parse_args()
    if given.check:
        problems = check(FOLDER)
        print("\n".join(problems) or "all translations are complete and up to date")
        return 1 if problems else 0
    for code in {SOURCE_LANGUAGE, *given.language, *known_languages(FOLDER)}:
        update(FOLDER / f"{PREFIX}{code}.ts")
        compile_texts(FOLDER / f"{PREFIX}{code}.ts")
    for problem in incomplete(FOLDER):
        print(problem)
    return 0


def known_languages(folder: Path) -> list[str]:
    """The codes of the languages that have a file."""
    return sorted(path.stem.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*.ts"))


def update(file: Path) -> None:
    """Bring the texts of the code into ``file``; translations that are there stay."""
    code = file.stem.removeprefix(PREFIX)
    sources = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "app").rglob("*.py"))
    sources += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "engine" / "sentences").glob("*.py"))
    options = ["-locations", "none", "-sort-messages", "-no-obsolete", "-tr-function-alias", "QT_TR_NOOP+=mark"]
    languages = ["-source-language", SOURCE_LANGUAGE, "-target-language", code]
    plural_only = ["-pluralonly"] if code == SOURCE_LANGUAGE else []
    _run("pyside6-lupdate", *options, *languages, *plural_only, *sources, "-ts", str(file))


def compile_texts(file: Path) -> Path:
    """Write what the program reads beside ``file``, and return its path."""
    compiled = file.with_suffix(".qm")
    _run("pyside6-lrelease", str(file), "-qm", str(compiled))
    return compiled


def check(folder: Path) -> list[str]:
    """What is not up to date or not translated, in words."""
    problems = incomplete(folder)
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(folder.glob(f"{PREFIX}*.ts")):
            copy = Path(shutil.copy(file, scratch))
            update(copy)
            if copy.read_bytes() != file.read_bytes():
                problems.append(f"{file.name} does not have the texts of the code: run make translations")
            compiled = file.with_suffix(".qm")
            if not compiled.is_file() or compile_texts(copy).read_bytes() != compiled.read_bytes():
                problems.append(f"{compiled.name} is not what {file.name} says: run make translations")
    return problems


def incomplete(folder: Path) -> list[str]:
    """Every text without a finished translation."""
    found = []
    for file in sorted(folder.glob(f"{PREFIX}*.ts")):
        for message in ET.parse(file).iter("message"):
            translation = message.find("translation")
            forms = [] if translation is None else [translation, *translation.iter("numerusform")][-2:]
            texts = [form.text or "" for form in forms if form.tag == "numerusform" or len(forms) == 1]
            if translation is None or translation.get("type") == "unfinished" or not all(texts) or not texts:
                found.append(f"{file.name}: not translated: {message.findtext('source')!r}")
    return found


def _run(program: str, *arguments: str) -> None:
    """One of PySide6's tools, in the environment that runs this."""
    path = shutil.which(program, path=sysconfig.get_path("scripts"))
    if path is None:
        raise SystemExit(f"{program} is missing. It comes with PySide6: run make setup")
    done = subprocess.run(
        [path, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
