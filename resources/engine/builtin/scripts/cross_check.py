"""Loads the committed weights with transformers' own Llama and compares its logits with the golden ones."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from export import WEIGHTS_FILE
from generate import MODEL_FOLDER
from golden import golden_file
from transformers import LlamaForCausalLM

ALLOWED = 1e-4


def main() -> None:
    """Raises SystemExit when a golden logit differs by more than 1e-4."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(MODEL_FOLDER / "config.json", scratch)
        shutil.copy(WEIGHTS_FILE, Path(scratch) / "model.safetensors")
        network = LlamaForCausalLM.from_pretrained(scratch, dtype=torch.float32).eval()
    golden = np.load(golden_file())
    worst = 0.0
    for name in (name for name in golden.files if name.startswith("logits_")):
        ids = torch.from_numpy(golden[name.replace("logits", "ids")].astype(np.int64))[None]
        with torch.no_grad():
            logits = network(input_ids=ids).logits[0].numpy()
        worst = max(worst, float(np.abs(logits - golden[name]).max()))
    print(f"transformers' Llama differs from the golden logits by at most {worst:.2e} (allowed {ALLOWED:.0e})")
    if worst > ALLOWED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
