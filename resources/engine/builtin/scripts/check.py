"""Measures the built-in model as it ships: held-out and off-topic questions, overlap, row independence, speed.

Prints aggregate figures only.  Needs no PyTorch; the exit status is 1 when a required figure is missed.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from generate import BUILTIN, exclusion_from_sample, load_stages, read_topics, round_conversations
from overlap import EVALUATION, SHARED_LIMIT, Gram, grams, held_out_texts, shared_fractions
from runtime import forward, greedy, open_session
from transformers import AutoTokenizer

DECLINE_FACTS = (("built-in",), ("bigger model",), ("cannot answer", "nothing but"))
REQUIRED = 0.9


def is_right(answer: str, key_facts: Sequence[Sequence[str]]) -> bool:
    """Whether every group of facts has an alternative that occurs in the answer, ignoring case."""
    lowered = answer.lower()
    return all(any(alternative.lower() in lowered for alternative in group) for group in key_facts)


class Model:
    """The shipped folder, loaded like any model of a hub."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.session = open_session(folder / "model.onnx")

    def prompt(self, question: str) -> list[int]:
        """Token ids of a chat with one question."""
        messages = [{"role": "user", "content": question}]
        encoded = self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def answer(self, question: str) -> str:
        """The greedy answer."""
        tokens = greedy(self.session, self.prompt(question), self.tokenizer.eos_token_id)
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))


def read_questions(path: Path) -> list[dict[str, str]]:
    """The questions of an evaluation file."""
    return list(tomllib.loads(path.read_text(encoding="utf-8"))["question"])


def score_help(model: Model, path: Path, details: bool) -> float:
    """Fraction of help questions answered right."""
    facts = {topic.identifier: topic.key_facts for topic in read_topics()}
    by_topic: dict[str, list[bool]] = defaultdict(list)
    declined = 0
    for entry in read_questions(path):
        answer = model.answer(entry["text"])
        by_topic[entry["topic"]].append(is_right(answer, facts[entry["topic"]]))
        declined += is_right(answer, DECLINE_FACTS)
    results = [right for rights in by_topic.values() for right in rights]
    print(f"{path.name}: {sum(results)}/{len(results)} = {sum(results) / len(results):.3f} right ({declined} declined)")
    if details:
        missed = {topic: f"{sum(rights)}/{len(rights)}" for topic, rights in by_topic.items() if not all(rights)}
        print(f"  topics with misses: {missed}")
    return sum(results) / len(results)


def score_decline(model: Model, path: Path) -> float:
    """Fraction of off-topic questions declined honestly."""
    declined = [is_right(model.answer(entry["text"]), DECLINE_FACTS) for entry in read_questions(path)]
    print(f"{path.name}: {sum(declined)}/{len(declined)} = {sum(declined) / len(declined):.3f} declined")
    return sum(declined) / len(declined)


def training_grams(rounds: int) -> set[Gram]:
    """The word 4-grams of the whole training text, made again."""
    stages = load_stages(exclusion_from_sample())
    found: set[Gram] = set()
    wanted = {gram for text in held_out_texts() for gram in grams(text)}
    for number in range(rounds):
        for conversation, _ in round_conversations(stages, number):
            for turn in conversation.turns:
                found.update(gram for gram in grams(turn.question) if gram in wanted)
    for topic in read_topics():
        found.update(grams(topic.answer))
    return found


def check_overlap(rounds: int) -> bool:
    """Whether no held-out question shares more than 60 % of its 4-grams with the training text."""
    fractions = shared_fractions(held_out_texts(), training_grams(rounds))
    worst = max(fractions, default=0.0)
    print(f"4-grams shared with the training text: mean {np.mean(fractions):.3f}, highest {worst:.3f}")
    return worst <= SHARED_LIMIT


def check_rows(model: Model) -> bool:
    """Whether a foreign row beside it leaves a row's logits alone."""
    own, other = model.prompt("What is a clove?"), model.prompt("Tell me a very different thing about relaying!")
    length = min(len(own), len(other))
    alone = forward(model.session, [own[:length]])[0]
    beside = forward(model.session, [own[:length], other[:length]])[0]
    difference = float(np.abs(alone - beside).max())
    print(f"a foreign row changes logits by at most {difference:.1e} (allowed 1e-5)")
    return difference <= 1e-5


def measure_speed(model: Model) -> None:
    """Print tokens per second of greedy decoding on one thread."""
    prompt = model.prompt("What is GenTorrent?")
    started = time.perf_counter()
    count = sum(len(greedy(model.session, prompt, model.tokenizer.eos_token_id)) for _ in range(10))
    print(f"decoding: {count / (time.perf_counter() - started):.0f} tokens/s on one thread")


def main() -> None:
    """Run every check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=BUILTIN / "model")
    parser.add_argument("--questions", type=Path, help="another file of help questions, with details by topic")
    parser.add_argument("--no-overlap", action="store_true", help="skip the slow check against the training text")
    options = parser.parse_args()
    model = Model(options.folder)
    if options.questions:
        score_help(model, options.questions, details=True)
        return
    right = score_help(model, EVALUATION / "heldout.toml", details=False)
    declined = score_decline(model, EVALUATION / "offtopic.toml")
    passed = [right >= REQUIRED, declined >= REQUIRED, check_rows(model)]
    measure_speed(model)
    if not options.no_overlap:
        rounds = json.loads((BUILTIN / "training.json").read_text(encoding="utf-8"))["rounds"]
        passed.append(check_overlap(rounds))
    raise SystemExit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
