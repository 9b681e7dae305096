"""Make `.venv-peers`: the engines that `gentorrent bench inference` compares with, and the model files for all of them.

onnxruntime-genai, llama.cpp (llama-cpp-python with its server) and PyTorch with transformers, pinned in
requirements/peers.txt. `make test` and everything that runs do without them. Run with `.venv`'s Python, whose pip
installs into the other environment. A machine without an NVIDIA card saves gigabytes by naming the index of PyTorch's
CPU builds in PIP_EXTRA_INDEX_URL. llama-cpp-python is built from source where its maker has no wheel (that needs a C++
compiler and CMake).
"""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "peers.txt"
VENV = ROOT / ".venv-peers"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gentorrent-setup.txt"
MODELS = ROOT / ".work" / "bench"
SHAPES = ("tiny", "qwen2.5-0.5b")


def main() -> int:
    """Make or complete environment and models; the exit status of the first step that failed."""
    parser = argparse.ArgumentParser(description="Make .venv-peers and the benchmarks' model files.")
    parser.add_argument("--shape", choices=SHAPES, help="only this model (tiny is enough for make test-peers)")
    parser.add_argument("--cuda", action="store_true", help="also the graphs for CUDA")
    options = parser.parse_args()
    status = make_environment()
    for shape in [options.shape] if options.shape else SHAPES:
        status = status or make_models(shape, cuda=options.cuda)
    if not status:
        print(f"[bench] ready: {VENV.name} and {MODELS.relative_to(ROOT).as_posix()}", flush=True)
    return status


def make_environment() -> int:
    """Install the pinned packages unless the stamp says that they are there."""
    key = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8").strip() == key:
        return 0
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
    print(f"[bench] installing the packages of requirements/{PINS.name} into {VENV.name} ...", flush=True)
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "--no-input"]
    status = subprocess.run([*command, "--requirement", str(PINS)], check=False).returncode
    if status == 0:
        STAMP.write_text(key, encoding="utf-8")
    return status


def make_models(shape: str, *, cuda: bool = False) -> int:
    """Make what is missing of one shape's files (`engine.bench.making`)."""
    folder = MODELS / shape
    command = [str(PYTHON), "-m", "engine.bench.making", shape, str(folder), *(["--cuda"] if cuda else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
