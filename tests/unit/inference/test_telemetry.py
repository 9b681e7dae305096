"""Nothing that runs in the worker tells its maker that it runs."""

import subprocess
import sys
from pathlib import Path

from engine.inference.supervisor.process import worker_environment

IMPORTING = "import engine.inference.runtime.runner"


def test_onnx_runtime_is_told_to_be_silent_before_it_is_loaded(tmp_path: Path) -> None:
    """Its telemetry leaves a file with a session id where it starts; without telemetry there is none."""
    inherited = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "ORT_DISABLE_TELEMETRY": "0"}
    environment = worker_environment(inherited) | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-P", "-c", IMPORTING], env=environment, check=True, timeout=180)
    assert list(tmp_path.rglob("*")) == []
