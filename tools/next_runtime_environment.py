"""Make `.venv-ort-next`: the newer ONNX Runtime with what the tests of the inference engine import, in ten seconds.

The locks hold the ONNX Runtime that has builds for GPUs; a newer one knows more, and the engine takes another path with
it. The two never share an environment, so those tests that touch the runtime run a second time here
(`tools/run_tests.py`). requirements/next-runtime.txt names the packages; all but the runtime itself get the versions
and hashes of the locks. Run with `.venv`'s Python, whose pip installs into the other environment.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tools.lock import ENTRY, FOLDER, LEVELS, ROOT, locked

WANTED = FOLDER / "next-runtime.txt"
VENV = ROOT / ".venv-ort-next"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gentorrent-setup.txt"


def main() -> int:
    """Make the environment unless it is there; pip's exit status."""
    pins = requirements()
    key = hashlib.sha256("\n".join([sys.version, str(ROOT), pins]).encode()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == key:
        return 0
    print(f"[setup] making {VENV.name} with the packages of requirements/{WANTED.name} ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)  # whatever it holds, it is made anew in seconds
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
    status = install(pins)
    if status == 0:
        add_checkout()
        STAMP.write_text(key, encoding="utf-8")
    return status


def requirements() -> str:
    """Every package with version and hashes, as pip reads them. ValueError for a name that the locks do not have."""
    text = WANTED.read_text(encoding="utf-8")
    pins: dict[str, str] = {}
    for level in LEVELS:
        pins |= locked(FOLDER / f"{level}.lock")
    names = re.findall(r"^[a-z0-9-]+$", text, re.MULTILINE)
    missing = [name for name in names if name not in pins]
    if missing:
        raise ValueError(f"{WANTED} names {', '.join(missing)}, which no lock has. Take these lines out.")
    return "".join([*(match[0] for match in ENTRY.finditer(text)), *(pins[name] for name in names)])


def install(pins: str) -> int:
    """Run this Python's pip for the environment; its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(pins, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "--no-input"]
        # Nothing is resolved: the file is complete. Modules are compiled when they are first imported.
        options = ["--no-deps", "--require-hashes", "--no-compile", "--requirement", str(file)]
        return subprocess.run([*command, *options], check=False).returncode


def add_checkout() -> None:
    """Let the environment's Python import this checkout: worker processes start outside of it."""
    packages = sysconfig.get_path("purelib", vars={"base": str(VENV), "platbase": str(VENV)})
    Path(packages, "gentorrent.pth").write_text(f"{ROOT}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
