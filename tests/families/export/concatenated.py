"""Checkpoints, golden logits and graphs with concatenated caches, by optimum-onnx (in `.venv-optimum`).

optimum-onnx traces the attention that the model was loaded with. Gemma 2 must be traced with the "eager" one: the
default drops the soft cap of the attention scores without a word.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ |= {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}

import numpy as np
import transformers
from optimum.exporters.onnx import onnx_export_from_model

from tests.families.export.checkpoint import golden, make_checkpoint
from tests.families.export.families import FAMILIES


def main(work: Path, names: list[str]) -> None:
    """Fill ``work/<family>/`` with checkpoint/, concat/ and golden.npz."""
    transformers.utils.logging.set_verbosity_error()
    for name in names:
        family = FAMILIES[name]
        folder = work / name
        model = make_checkpoint(family, folder / "checkpoint")
        np.savez_compressed(folder / "golden.npz", **golden(model, family.config["vocab_size"]))
        attention = "eager" if name == "gemma2" else "sdpa"
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder / "checkpoint", attn_implementation=attention
        ).eval()
        onnx_export_from_model(model, folder / "concat", task="text-generation-with-past", do_validation=False)
        print(f"[families] {name}: checkpoint, golden logits and graph with concatenated caches", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
