"""Make `.venv` in the repository root: pinned packages, checked by hash, and `gentorrent` itself, editable.

`python tools/setup.py LEVEL` with LEVEL one of `engine` (what `make demo` needs: no Qt, no system package), `app` (and
the window) and `dev` (and the test and lint tools). A level includes those before it. A finished level leaves a stamp
with the hash of everything that decided its contents; the same set-up a second time reads that stamp and ends. The
stamp is written last, so an interrupted set-up is taken up again by the next one.

Standard library only: this runs under the bare Python that will own the environment.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LEVELS = ("engine", "app", "dev")
OLDEST, NEWEST = (3, 11), (3, 14)
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gentorrent-setup.json"
#: Stands while pip writes. Found by a later set-up, it says that one was cut off, perhaps inside a package.
UNFINISHED = VENV / "gentorrent-setup.unfinished"


class SetupError(Exception):
    """The environment could not be made; the text says what happened and what to do."""


def main() -> int:
    """Run one set-up; the exit status is 0 when the level is ready."""
    parser = argparse.ArgumentParser(description="Make GenTorrent's environment in .venv.")
    parser.add_argument("level", choices=LEVELS)
    parser.add_argument("--check", action="store_true", help="only say, by the exit status, whether it is ready")
    options = parser.parse_args()
    if options.check or is_ready(options.level):
        return 0 if is_ready(options.level) else 1
    try:
        with one_at_a_time():
            if not is_ready(options.level):  # another set-up may just have done it
                set_up(options.level)
    except SetupError as error:
        print(f"\nSet-up did not finish. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; the next one takes it up again.", file=sys.stderr)
        return 130
    return 0


def is_ready(level: str) -> bool:
    """Whether the stamp says that `level` is installed as the checkout wants it now."""
    return PYTHON.exists() and read_stamp().get(level) == key(level)


def set_up(level: str) -> None:
    """Bring `.venv` to `level` and stamp it."""
    began = time.monotonic()
    if not environment_works():
        create_environment()
    lock = ROOT / "requirements" / f"{level}.lock"
    say(f"installing the pinned packages of requirements/{lock.name} (the first time takes a few minutes) ...")
    # pip takes a package for installed by its metadata alone, also one that was cut off half-way.
    again = ["--force-reinstall"] if UNFINISHED.exists() else []
    UNFINISHED.touch()
    pip("install", "--no-deps", "--require-hashes", *again, "--requirement", str(lock), advice=lock_advice(level))
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT), advice="")
    # A level includes those before it.
    stamp = {name: key(name) for name in LEVELS[: LEVELS.index(level) + 1]}
    replacement = STAMP.with_suffix(".new")
    replacement.write_text(json.dumps(read_stamp() | stamp, indent=1), encoding="utf-8")
    replacement.replace(STAMP)
    UNFINISHED.unlink()
    say(f"ready in {time.monotonic() - began:.0f} s: {PYTHON.parent.relative_to(ROOT)}/gentorrent")


def key(level: str) -> str:
    """The hash over all that decides what `level` installs: the locks up to it, the project file, the place."""
    digest = hashlib.sha256(str(ROOT).encode())
    names = [f"requirements/{name}.lock" for name in LEVELS[: LEVELS.index(level) + 1]]
    for name in [*names, "pyproject.toml"]:
        digest.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()


def read_stamp() -> dict[str, str]:
    """The finished levels and their keys; empty when there are none or the file is damaged."""
    try:
        content = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold back a second set-up in the same checkout (two terminals, `make -j`) until the first has ended."""
    if os.name == "nt":
        yield
        return
    import fcntl

    with (ROOT / "pyproject.toml").open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def environment_works() -> bool:
    """Whether `.venv` has a Python that starts, is of a version in range, and has a pip that answers."""
    if not PYTHON.exists():
        return False
    check = f"import pip, sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def create_environment() -> None:
    """Make `.venv` anew from the Python that runs this, with a pip in it."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        raise SetupError(
            f"This is Python {version[0]}.{version[1]}; GenTorrent's packages exist for 3.11 to 3.14. "
            "Name another one: make setup PYTHON=/path/to/python3.12"
        )
    say(f"making .venv with Python {sys.version.split()[0]} ...")
    if make_environment():
        return
    say("this Python brings no pip; fetching the pinned one ...")
    from tools import pip_bootstrap, system_libraries

    try:
        pip_bootstrap.install_pip(PYTHON, ROOT / "requirements" / "engine.lock")
    except pip_bootstrap.PipBootstrapError as error:
        packages = [f"python{version[0]}.{version[1]}-venv"]
        if not (system_libraries.can_install() and system_libraries.install(packages) and make_environment()):
            raise SetupError(str(error)) from error


def make_environment() -> bool:
    """Make `.venv`; whether it has a pip. Raises `SetupError` when there is no environment at all."""
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian ships a Python without ensurepip, or without its wheels, unless python3-venv is installed.
    importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip") is not None:
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, check=False).returncode == 0:
            return True
        shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment:\n{result.stdout}{result.stderr}\n"
            "On Debian and Ubuntu this helps: sudo apt-get install python3-venv"
        )
    return False


def pip(*arguments: str, advice: str) -> None:
    """Run the environment's pip; its output appears only if it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        if result.returncode > 0:  # pip ended by itself and has taken back what it began
            UNFINISHED.unlink(missing_ok=True)
        tail = "\n".join(result.stdout.splitlines()[-25:])
        raise SetupError(f"pip said:\n{tail}\n\n{advice}")


def lock_advice(level: str) -> str:
    """What to do when the packages of a level cannot be installed."""
    advice = (
        "If the package index could not be reached: check the connection, or set PIP_INDEX_URL to a mirror.\n"
        "If no file fits this machine: one of the packages does not support its system or its processor."
    )
    if level != "engine":
        advice += "\nThe engine alone needs fewer packages: make demo"
    return advice


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(f"[setup] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
