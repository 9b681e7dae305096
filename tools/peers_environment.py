"""Make `.venv-peers`: the engines that `gentorrent bench inference` compares with, and the model files for all of them.

onnxruntime-genai, llama.cpp (llama-cpp-python with its server) and PyTorch with transformers, pinned in
requirements/peers.txt. `make test` and everything that runs do without them. Run with `.venv`'s Python, whose pip
installs into the other environment. A machine without an NVIDIA card saves gigabytes by naming the index of PyTorch's
CPU builds in PIP_EXTRA_INDEX_URL. llama-cpp-python is built from source unless pip is shown a wheel of it: that needs a
C++ compiler, which root on a Debian-like system gets installed (CMake comes from the package index), and a quarter of
an hour on two processors.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import system_libraries

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "peers.txt"
VENV = ROOT / ".venv-peers"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gentorrent-setup.txt"
MODELS = ROOT / ".work" / "bench"
SHAPES = ("tiny", "random-0.1b", "qwen2.5-0.5b")
COMPILERS = ("c++", "g++", "clang++")
COMPILER_ADVICE = (
    "There is no C++ compiler, so llama.cpp cannot be built (llama-cpp-python has no wheels on the package index). "
    + {
        "darwin": "Install it: xcode-select --install",
        "win32": "Install the Build Tools for Visual Studio with C++.",
    }.get(sys.platform, "Install it: sudo apt-get install build-essential (Debian, Ubuntu), or your system's g++.")
)


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
    compiler = find_compiler(os.environ)
    if not compiler and system_libraries.can_install():
        system_libraries.install(["build-essential"])
        compiler = find_compiler(os.environ)
    if not compiler:  # not the end: pip may know of a wheel
        print(f"[bench] {COMPILER_ADVICE}", file=sys.stderr, flush=True)
    print(f"[bench] installing the packages of requirements/{PINS.name} into {VENV.name} ...", flush=True)
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "--no-input"]
    status = subprocess.run([*command, "--requirement", str(PINS)], check=False).returncode
    if status == 0:
        STAMP.write_text(key, encoding="utf-8")
    elif not compiler:
        print(f"[bench] {COMPILER_ADVICE} Then run make bench-setup again.", file=sys.stderr, flush=True)
    return status


def find_compiler(environment: Mapping[str, str]) -> bool:
    """Whether there is a C++ compiler that CMake would find. On Windows CMake alone knows: it looks in the registry."""
    named = environment.get("CXX", "").split()[:1]  # options may follow the name
    path = environment.get("PATH", os.defpath)
    return os.name == "nt" or any(shutil.which(name, path=path) for name in (*named, *COMPILERS))


def make_models(shape: str, *, cuda: bool = False) -> int:
    """Make what is missing of one shape's files (`engine.bench.making`)."""
    folder = MODELS / shape
    command = [str(PYTHON), "-m", "engine.bench.making", shape, str(folder), *(["--cuda"] if cuda else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
