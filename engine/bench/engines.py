"""Which engines are measured, where they are installed, which model file each reads; what of them is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.bench.work import PRECISIONS, Precision, Settings
from engine.errors import BenchmarkError

OURS = "ours"
OURS_NEWER = "ours, newer onnxruntime"
GENAI = "onnxruntime-genai"
LLAMA = "llama.cpp"
PYTORCH = "transformers"
BARE = "bare loop"
PEERS = (GENAI, LLAMA, PYTORCH)
SET_UP = "Run `make bench-setup` in a checkout of GenTorrent; it installs the peers and makes the model files."
PROBE_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    """``files``: by precision, below the folder of the shape. ``fixed``: settings by precision that are not swept."""

    name: str
    module: str
    needs: str
    """The module that must be importable where it runs."""
    peers_python: bool
    files: Mapping[Precision, str]
    fixed: Mapping[Precision, Settings] = field(default_factory=dict)


_GRAPHS: dict[Precision, str] = {"int4": "onnx-int4", "fp32": "onnx-fp32"}
ENGINES = {
    engine.name: engine
    for engine in (
        Engine(OURS, "ours", "onnxruntime", False, _GRAPHS),
        # Beside the others and at int4 alone: each fp32 session takes some 4 GB of memory.
        Engine(OURS_NEWER, "ours", "onnxruntime", True, {"int4": "onnx-int4"}),
        Engine(GENAI, "genai", "onnxruntime_genai", True, _GRAPHS),
        Engine(LLAMA, "llama", "llama_cpp", True, {"int4": "q4_0.gguf", "fp32": "f32.gguf"}),
        Engine(
            PYTORCH,
            "pytorch",
            "torch",
            True,
            {"int4": "checkpoint", "fp32": "checkpoint"},
            {"int4": {"type": "bfloat16"}, "fp32": {"type": "float32"}},
        ),
        Engine(BARE, "bare", "onnxruntime", False, {"int4": "onnx-int4"}),
    )
}


@dataclass(frozen=True)
class Places:
    """``root``: the folder that holds the package ``engine``; ``models``: the folder of one shape."""

    root: Path
    peers_python: Path
    models: Path

    @classmethod
    def of_checkout(cls, shape: str, environment: Mapping[str, str]) -> Places:
        """Where `make bench-setup` puts things; GENTORRENT_PEERS names another environment."""
        root = Path(__file__).resolve().parents[2]
        peers = Path(environment.get("GENTORRENT_PEERS") or root / ".venv-peers")
        python = peers / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        return cls(root, python, root / ".work" / "bench" / shape)

    def python(self, engine: Engine) -> Path:
        """The Python that ``engine`` runs in."""
        return self.peers_python if engine.peers_python else Path(sys.executable)

    def model(self, engine: Engine, precision: Precision) -> Path:
        """The file or folder that ``engine`` reads."""
        return self.models / engine.files[precision]

    def environment(self) -> dict[str, str]:
        """Of a driver: nothing is fetched, nothing is reported to anybody."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "ORT_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "TRANSFORMERS_VERBOSITY": "error",
        }


def check_complete(places: Places, engines: list[Engine], precisions: tuple[Precision, ...] = PRECISIONS) -> None:
    """Raise :class:`BenchmarkError`, which names everything that is missing and what to run."""
    missing = []
    for engine in engines:
        if engine.peers_python and not places.peers_python.exists():
            missing.append(f"{engine.name} (there is no {places.peers_python})")
        elif not _importable(places.python(engine), engine.needs):
            missing.append(f"{engine.name} ({engine.needs} cannot be imported by {places.python(engine)})")
        files = [places.model(engine, precision) for precision in precisions if precision in engine.files]
        missing += [f"the model file {file}" for file in files if not file.exists()]
    if missing:
        listed = "; ".join(dict.fromkeys(missing))
        raise BenchmarkError(f"The benchmark cannot run without its peers. Missing: {listed}. {SET_UP}")


def _importable(python: Path, module: str) -> bool:
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    try:
        result = subprocess.run(  # noqa: S603
            [str(python), "-c", probe], capture_output=True, check=False, timeout=PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0
