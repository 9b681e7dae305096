"""ONNX graphs by the builder of onnxruntime-genai, in folders that hold everything a model folder must."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from engine.bench.making.checkpoint import TOKENIZER_FILES

INT4_OPTIONS = ("block_size=32", "accuracy_level=4")
"""Blocks of 32 weights and activations in 8 bits, as llama.cpp's Q4_0 has and computes them."""


def make_onnx(checkpoint: Path, folder: Path, precision: str, provider: str) -> None:
    """Export ``checkpoint`` as ``precision`` ("int4", "fp32", "fp16") for ``provider`` ("cpu", "cuda")."""
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(checkpoint), "-o", str(folder)]
    command += ["-p", precision, "-e", provider, "-c", str(folder.with_name("cache"))]
    if precision == "int4":
        command += ["--extra_options", *INT4_OPTIONS]
    result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if result.returncode:
        raise SystemExit(f"the builder of onnxruntime-genai failed:\n{result.stdout[-2000:]}{result.stderr[-4000:]}")
    for name in ("config.json", "generation_config.json", *TOKENIZER_FILES):
        shutil.copyfile(checkpoint / name, folder / name)
