"""Trains the built-in model on generated text; resumes from its last checkpoint in the working folder.

With ``--update`` it goes on from the committed weights for a few rounds, which is enough when only the wording of help
facts has changed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as functional
from batches import Batch, Encoder, round_batches
from generate import (
    MODEL_FOLDER,
    TRAINING_FILE,
    WEIGHTS_FILE,
    WORK,
    exclusion_from_sample,
    load_stages,
    round_conversations,
)
from model import SHORT_LENGTH, ModelConfig, SmallLlama
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from train_tokenizer import TOKENIZER_FOLDER


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up over 1 %, a plateau, and a linear way down over the last 40 %."""
    if progress < 0.01:
        return peak * (progress + 0.0005) / 0.01
    return peak * min(1.0, max(0.02, (1.0 - progress) / 0.4))


def loss_of(network: SmallLlama, compiled: object, batch: Batch) -> Tensor:
    """Mean cross-entropy of the tokens to be learnt."""
    ids = torch.from_numpy(batch.ids)
    learn = torch.from_numpy(batch.learn)[:, 1:]
    forward = compiled if ids.shape[1] <= SHORT_LENGTH else network
    with torch.autocast("cpu", torch.bfloat16):
        hidden = forward(ids)  # type: ignore[operator]
        logits = network.logits(hidden[:, :-1][learn])
    return functional.cross_entropy(logits.float(), ids[:, 1:][learn])


class Training:
    """The network, its optimiser and how far it has come."""

    def __init__(self, config: ModelConfig, peak: float, folder: Path) -> None:
        torch.manual_seed(7)
        self.network = SmallLlama(config)
        self.compiled = torch.compile(self.network, dynamic=False)
        decayed = [parameter for parameter in self.network.parameters() if parameter.dim() == 2]
        others = [parameter for parameter in self.network.parameters() if parameter.dim() != 2]
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), fused=True)
        self.peak = peak
        self.first = self.round = 0
        self.checkpoint = folder / "checkpoint.pt"

    def go_on_from_committed(self) -> None:
        """Begin with the committed weights, after the rounds that they had."""
        self.network.load_state_dict(load_file(WEIGHTS_FILE))
        self.first = self.round = int(json.loads(TRAINING_FILE.read_text(encoding="utf-8"))["rounds"])

    def resume(self) -> None:
        """Go on from the last checkpoint when there is one."""
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.first, self.round = state["first"], state["round"]
            print(f"resumed after round {self.round}", flush=True)

    def save(self) -> None:
        """Write a checkpoint in one step."""
        part = self.checkpoint.with_suffix(".part")
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "first": self.first,
            "round": self.round,
            "config": asdict(self.network.config),
        }
        torch.save(state, part)
        part.replace(self.checkpoint)

    def train_round(self, batches: list[Batch], progress: float) -> float:
        """One pass over a round's batches; returns the mean loss."""
        rate = learning_rate(progress, self.peak)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        total = 0.0
        for batch in batches:
            loss = loss_of(self.network, self.compiled, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            total += loss.item()
        self.round += 1
        return total / max(1, len(batches))


def main() -> None:
    """Train up to a number of rounds, saving about once a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=400, help="how many rounds the whole training has")
    parser.add_argument("--peak", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--update", type=int, metavar="ROUNDS", help="so many more rounds from the committed weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=WORK, help="where checkpoints are kept")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    tokenizer_folder = MODEL_FOLDER if options.update else TOKENIZER_FOLDER
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    encoder = Encoder(tokenizer)
    stages = load_stages(exclusion_from_sample())
    training = Training(ModelConfig(vocab_size=tokenizer.get_vocab_size()), options.peak, options.folder)
    rounds = options.rounds
    if options.update:
        training.go_on_from_committed()
        rounds = training.round + options.update
    training.resume()
    saved = time.monotonic()
    while training.round < rounds:
        started = time.monotonic()
        progress = (training.round - training.first) / (rounds - training.first)
        conversations = round_conversations(stages, training.round)
        batches = round_batches(encoder, conversations, training.round)
        loss = training.train_round(batches, progress)
        tokens = sum(batch.ids.size for batch in batches)
        seconds = time.monotonic() - started
        record = {"round": training.round, "loss": round(loss, 4), "tokens_per_s": round(tokens / seconds)}
        print(json.dumps(record), flush=True)
        if time.monotonic() - saved > 60 or training.round == rounds:
            training.save()
            saved = time.monotonic()


if __name__ == "__main__":
    main()
