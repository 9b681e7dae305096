"""Make `.venv-torch`: PyTorch beside the locked versions of everything else, for the built-in model alone.

Training the built-in model and writing the golden numbers that the tests compare with need PyTorch; nothing that runs
does. It is large and differs by platform, so it is kept out of the locks and out of `.venv`. Run with `.venv`'s Python,
whose pip installs into the other environment. A machine without an NVIDIA card saves gigabytes by naming the index of
PyTorch's CPU builds in PIP_EXTRA_INDEX_URL.
"""

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
    """Make or complete the environment; the exit status is pip's."""
    pins = [pin for level in LEVELS for entry in locked(FOLDER / f"{level}.lock").values() for pin in pins_of(entry)]
    wanted = [TORCH, *(pin for pin in pins if re.split("==", pin)[0] in BESIDE_TORCH)]
    key = hashlib.sha256("\n".join([*wanted, *pins]).encode()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == key:
        return 0
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
    print(f"[setup] installing {TORCH} and what goes with it into {VENV.name} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "--no-input"]
        status = subprocess.run([*command, "--constraint", str(constraints), *wanted], check=False).returncode
    if status == 0:
        STAMP.write_text(key, encoding="utf-8")
    return status


def pins_of(entry: str) -> list[str]:
    """The pins of one entry of a lock, markers included, hashes not: `name==version ; marker`."""
    return [line.removesuffix("\\").strip() for line in entry.splitlines() if not line.startswith(" ")]


if __name__ == "__main__":
    sys.exit(main())
