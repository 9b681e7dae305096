"""The golden logits: what the float32 network says for a few conversations, kept so that tests need no PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from generate import BUILTIN, DECLINE, read_topics
from numpy.typing import NDArray
from tokenizers import Tokenizer

GOLDEN_TOPICS = (
    ("what-is-gentorrent", "What is GenTorrent?"),
    ("api-address", "Which port does the local API use?"),
    ("clove", "What is a clove?"),
    ("relay-dies", "What happens if a relay dies?"),
    ("dark-mode", "Is there a dark mode?"),
    ("receipt-verify", "How do I verify a receipt?"),
    ("guard-learns", "What does the guard know about me?"),
    ("start-own-network", "How do I start my own network?"),
)
OTHER = "What is the capital of France?"
KEPT_LOGITS = 3


def golden_file() -> Path:
    """Where the golden logits are kept."""
    return BUILTIN.parents[2] / "tests" / "vectors" / "builtin" / "golden.npz"


def golden_conversations(folder: Path) -> list[list[int]]:
    """Token ids of each golden conversation: a question with its right answer."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    answers = {topic.identifier: topic.answer for topic in read_topics()}
    pairs = [(question, answers[topic]) for topic, question in GOLDEN_TOPICS if topic in answers]
    pairs.append((OTHER, DECLINE))
    texts = [
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"
        for question, answer in pairs
    ]
    return [list(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]


def write_golden(folder: Path, logits_of: Callable[[list[int]], NDArray[np.float32]], path: Path) -> None:
    """Write ``ids_N`` and ``choices_N`` of every conversation and ``logits_N`` of the first few."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for index, ids in enumerate(golden_conversations(folder)):
        logits = logits_of(ids)
        arrays[f"ids_{index}"] = np.array(ids, dtype=np.int32)
        arrays[f"choices_{index}"] = logits.argmax(axis=1).astype(np.int32)
        if index < KEPT_LOGITS:
            arrays[f"logits_{index}"] = logits
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    print(f"golden logits of {index + 1} conversations written to {path.name}, {path.stat().st_size / 1e6:.2f} MB")
