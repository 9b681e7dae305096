"""Make `.venv-torch`: PyTorch beside the locked versions of everything else, for checks and training.

Training the built-in model and writing the golden numbers that the tests compare with need PyTorch; nothing that runs
does. It is large and differs by platform, so it is kept out of the locks and out of `.venv`. Run with `.venv`'s Python,
whose pip installs into the other environment. A machine without an NVIDIA card saves gigabytes by naming the index of
PyTorch's CPU builds in PIP_EXTRA_INDEX_URL.

With `--exporters` also what exports the tiny models of tests/families: the builder of onnxruntime-genai, whose scripts
are put into `.venv-torch` without the runtime that it depends on (two ONNX Runtimes never share an environment), and
`.venv-optimum` with optimum-onnx, which wants an older transformers (requirements/optimum.txt).
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lock import FOLDER, LEVELS, ROOT, locked

VENV = ROOT / ".venv-torch"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "gentorrent-setup.txt"
TORCH = "torch==2.13.0"
BUILDER = ("onnxruntime-genai==0.18.0", "onnx-ir==1.1.0", "ml-dtypes==0.6.0")
OPTIMUM = ROOT / ".venv-optimum"
OPTIMUM_PINS = FOLDER / "optimum.txt"
BESIDE_TORCH = (
    "jinja2",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "safetensors",
    "tokenizers",
    "transformers",
)


def main() -> int:
    """Make or complete the environments; the exit status of the first step that failed."""
    parser = argparse.ArgumentParser(description="Make .venv-torch.")
    parser.add_argument("--exporters", action="store_true", help="also what exports the tiny models of tests/families")
    exporters = parser.parse_args().exporters
    status = make_torch()
    if exporters:
        status = status or make_builder() or make_optimum()
    return status


def make_torch() -> int:
    """PyTorch and what goes with it, with the pins of all locks as constraints."""
    pins = [pin for level in LEVELS for entry in locked(FOLDER / f"{level}.lock").values() for pin in pins_of(entry)]
    wanted = [TORCH, *(pin for pin in pins if re.split("==", pin)[0] in BESIDE_TORCH)]
    key = hashlib.sha256("\n".join([*wanted, *pins]).encode()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == key:
        return 0
    print(f"[setup] installing {TORCH} and what goes with it into {VENV.name} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        status = install(VENV, "--constraint", str(constraints), *wanted)
    if status == 0:
        STAMP.write_text(key, encoding="utf-8")
    return status


def make_builder() -> int:
    """The builder's scripts and the two packages that they import, without dependencies."""
    stamp = VENV / "gentorrent-builder.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == " ".join(BUILDER):
        return 0
    print(f"[setup] installing {', '.join(BUILDER)} into {VENV.name} ...", flush=True)
    status = install(VENV, "--no-deps", *BUILDER)
    if status == 0:
        stamp.write_text(" ".join(BUILDER), encoding="utf-8")
    return status


def make_optimum() -> int:
    """The environment of optimum-onnx."""
    key = hashlib.sha256(OPTIMUM_PINS.read_bytes()).hexdigest()
    stamp = OPTIMUM / "gentorrent-setup.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == key:
        return 0
    print(f"[setup] installing the packages of requirements/{OPTIMUM_PINS.name} into {OPTIMUM.name} ...", flush=True)
    status = install(OPTIMUM, "--requirement", str(OPTIMUM_PINS))
    if status == 0:
        stamp.write_text(key, encoding="utf-8")
    return status


def install(environment: Path, *arguments: str) -> int:
    """Run this Python's pip for another environment, which is made if it is not there; pip's exit status."""
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-input"]
    return subprocess.run([*command, *arguments], check=False).returncode


def pins_of(entry: str) -> list[str]:
    """The pins of one entry of a lock, markers included, hashes not: `name==version ; marker`."""
    return [line.removesuffix("\\").strip() for line in entry.splitlines() if not line.startswith(" ")]


if __name__ == "__main__":
    sys.exit(main())
