"""Graphs with GroupQueryAttention by the builder of onnxruntime-genai (in `.venv-torch`).

The builder is a script beside its package. It is loaded from its folder: importing the package itself would load a
second ONNX Runtime. It also reads the checkpoint with another generation of transformers than the golden logits came
from, whose own logits are compared here too.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

os.environ |= {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}

import numpy as np
import onnx
import torch
import transformers

LONGEST_DIFFERENCE = 2e-5


def main(work: Path, names: list[str]) -> None:
    """Fill ``work/<family>/gqa`` (fp32) and, for phi3, the variants of a repository with nested folders."""
    transformers.utils.logging.set_verbosity_error()
    builder = load_builder()
    for name in names:
        folder = work / name
        compare(folder)
        # Caches no longer than the sliding window cannot be shared between requests.
        build(builder, folder, "gqa", "fp32", "cpu", windowed_kv_cache="false")
        if name == "llama":
            # As for DirectML, and as transformers.js's repositories have it: rotary positions outside, by position_ids.
            apart = ("is_fused_rope_supported", "is_packed_matmul_supported")
            with patch.multiple(builder.Model, **{one: Mock(return_value=False) for one in apart}):
                build(builder, folder, "positions", "fp32", "cpu")
        if name == "phi3":
            build(builder, folder, "int4", "int4", "cpu", int4_block_size="32", int4_accuracy_level="4")
            build(builder, folder, "fp16", "fp16", "cuda")
        if name == "gemma3":
            build(builder, folder, "windowed", "fp32", "cpu")
        print(f"[families] {name}: graph with GroupQueryAttention", flush=True)


def compare(folder: Path) -> None:
    """The golden logits against this environment's transformers and PyTorch."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder / "checkpoint", attn_implementation="eager").eval()
    golden = np.load(folder / "golden.npz")
    for number in range(sum(1 for key in golden if key.startswith("ids."))):
        with torch.no_grad():
            logits = model(torch.from_numpy(golden[f"ids.{number}"])[None]).logits[0].numpy()
        difference = np.abs(logits[golden[f"places.{number}"]] - golden[f"logits.{number}"]).max()
        if not difference <= LONGEST_DIFFERENCE:
            raise SystemExit(f"{folder.name}: transformers {transformers.__version__} differs by {difference}")


def build(builder: Any, folder: Path, target: str, precision: str, provider: str, **options: str) -> None:
    """One run of the builder; what it prints is shown only if it fails."""
    said = io.StringIO()
    arguments = ("", str(folder / "checkpoint"), str(folder / target), precision, provider, str(folder / "cache"))
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            prepared = builder.parse_extra_options(*arguments, [f"{key}={value}" for key, value in options.items()])
            builder.create_model(*arguments, **prepared)
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise
    # The builder writes the commit of the folder that it is run in into the graph.
    path = folder / target / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    model.producer_version = model.producer_version.partition("+")[0]
    path.write_bytes(model.SerializeToString(deterministic=True))


def load_builder() -> Any:
    """The builder as a module, taught to read Gemma 3's two rotary bases as transformers 5 keeps them."""
    package = importlib.util.find_spec("onnxruntime_genai")
    assert package is not None, "onnxruntime-genai is not installed"
    assert package.submodule_search_locations
    sys.path.insert(0, str(Path(package.submodule_search_locations[0]) / "models"))
    builder: Any = importlib.import_module("builder")

    class Config:
        @staticmethod
        def from_pretrained(*arguments: Any, **options: Any) -> Any:
            config = transformers.AutoConfig.from_pretrained(*arguments, **options)
            rotary = getattr(config, "rope_parameters", None) or {}
            if "sliding_attention" in rotary:
                config.rope_local_base_freq = rotary["sliding_attention"]["rope_theta"]
                config.rope_theta = rotary["full_attention"]["rope_theta"]
                config.rope_parameters = dict(rotary["full_attention"])
            return config

    builder.AutoConfig = Config
    return builder


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
