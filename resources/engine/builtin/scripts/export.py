"""Exports the trained network into the model folder (a hub repository) and checks the exports against PyTorch."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from generate import MODEL_FOLDER, ROUND_SIZE, TRAINING_FILE, WEIGHTS_FILE, WORK
from golden import golden_conversations, golden_file, write_golden
from model import ModelConfig, SmallLlama
from numpy.typing import NDArray
from onnx_graph import GraphWriter
from runtime import RUNTIME_VERSION, forward, open_session
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from train_tokenizer import END, PAD, TOKENIZER_FOLDER, write_json

SIZE_LIMIT = 16 * 1024 * 1024


def torch_logits(network: SmallLlama, ids: list[int]) -> NDArray[np.float32]:
    """Float32 logits [positions, vocabulary] of one sequence by PyTorch."""
    with torch.no_grad():
        hidden = network(torch.tensor([ids]))
        logits: NDArray[np.float32] = network.logits(hidden)[0].numpy()
    return logits


def load_network(weights: Path, config: Path) -> SmallLlama:
    """The network from the committed weights."""
    network = SmallLlama(ModelConfig.from_hub(config))
    network.load_state_dict(load_file(weights))
    return network.eval()


def from_checkpoint(checkpoint: Path) -> tuple[SmallLlama, int, bool]:
    """The network from a training checkpoint, its number of rounds, and whether it went on from committed weights."""
    state = torch.load(checkpoint, weights_only=True)
    network = SmallLlama(ModelConfig(**state["config"]))
    network.load_state_dict(state["network"])
    return network.eval(), state["round"], state["first"] > 0


def write_model(network: SmallLlama, folder: Path, work: Path) -> tuple[Path, Path]:
    """Write the two config files and both graphs; returns the paths of the 8-bit and the float32 graph."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pad, end = tokenizer.token_to_id(PAD), tokenizer.token_to_id(END)
    hub = network.config.to_hub(bos_token_id=pad, eos_token_id=end, pad_token_id=pad)
    write_json(folder / "config.json", hub)
    tokens = {"bos_token_id": pad, "eos_token_id": end, "pad_token_id": pad}
    write_json(folder / "generation_config.json", {**tokens, "do_sample": False, "max_new_tokens": 1024})
    weights = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    dimensions = {name: value for name, value in hub.items() if isinstance(value, int | float)}
    paths = (folder / "model.onnx", work / "model-fp32.onnx")
    for path, eight_bit in zip(paths, (True, False), strict=True):
        graph = GraphWriter(dimensions, weights, eight_bit).build()
        onnx.save(graph, str(path))
    return paths


def check(network: SmallLlama, eight_bit: Path, full: Path, folder: Path) -> None:
    """Compare both graphs with PyTorch on the golden prompts; raises SystemExit when they differ too much."""
    sessions = {"fp32": open_session(full), "8-bit": open_session(eight_bit)}
    worst, agreed, positions = 0.0, 0, 0
    for conversation in golden_conversations(folder):
        expected = torch_logits(network, conversation)
        worst = max(worst, float(np.abs(forward(sessions["fp32"], [conversation])[0] - expected).max()))
        choices = forward(sessions["8-bit"], [conversation])[0].argmax(axis=1)
        agreed += int((choices == expected.argmax(axis=1)).sum())
        positions += len(choices)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"fp32 export differs from PyTorch by at most {worst:.2e} (allowed 1e-4)")
    share = agreed / positions
    print(f"8-bit first choice agrees at {agreed}/{positions} = {share:.4f} of golden positions (asked 0.99)")
    print(f"model folder {size / 1e6:.2f} MB, onnxruntime {RUNTIME_VERSION}, torch {torch.__version__}")
    if worst > 1e-4 or share < 0.99 or size > SIZE_LIMIT:
        raise SystemExit("the export is not good enough")


def main() -> None:
    """Export from a checkpoint, or with ``--golden-only`` make the golden logits again from the committed weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=WORK / "checkpoint.pt")
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--golden-only", action="store_true")
    parser.add_argument("--trial", action="store_true", help="write only into --folder: no golden logits, no weights")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.golden_only:
        network = load_network(WEIGHTS_FILE, options.folder / "config.json")
        scratch = options.work / "check"
        shutil.copytree(options.folder, scratch, dirs_exist_ok=True)
        check(network, *write_model(network, scratch, options.work), scratch)
    else:
        options.folder.mkdir(parents=True, exist_ok=True)
        network, rounds, updated = from_checkpoint(options.checkpoint)
        for path in () if updated else TOKENIZER_FOLDER.iterdir():
            shutil.copy(path, options.folder / path.name)
        check(network, *write_model(network, options.folder, options.work), options.folder)
        if options.trial:
            return
        WEIGHTS_FILE.parent.mkdir(exist_ok=True)
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, WEIGHTS_FILE)
        write_json(TRAINING_FILE, {"rounds": rounds, "round_size": ROUND_SIZE})
    full = open_session(options.work / "model-fp32.onnx")
    write_golden(options.folder, lambda ids: forward(full, [ids])[0], golden_file())


if __name__ == "__main__":
    main()
