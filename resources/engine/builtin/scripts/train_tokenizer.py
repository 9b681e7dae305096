"""Trains the byte-level BPE tokenizer on generated text and writes the tokenizer files of a hub repository.

Byte fallback is complete (all 256 bytes are in the alphabet), so every text can be encoded.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from generate import DECLINE, SYSTEM_PROMPTS, WORK, Generator, exclusion_from_sample, load_generator
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

TOKENIZER_FOLDER = WORK / "tokenizer"
VOCABULARY = 3072
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL_TOKENS = [PAD, START, END]
SAMPLE = 120_000
SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def sample_text(generator: Generator) -> Iterator[str]:
    """Questions as they are generated, and every answer several times."""
    rng = random.Random("tokenizer")
    for _ in range(SAMPLE):
        yield generator.turn(rng).question
    for _ in range(200):
        yield from (topic.answer for topic in generator.topics)
        yield from (answer for answer, _ in generator.chat_patterns)
        yield from SYSTEM_PROMPTS
        yield from (DECLINE, "user\n", "assistant\n", "system\n")


def train(generator: Generator) -> Tokenizer:
    """Train the BPE merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample_text(generator), trainer)
    return tokenizer


def write_files(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json and the small files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"bos_token": PAD, "eos_token": END, "pad_token": PAD}
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **named,
        "additional_special_tokens": [START],
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 4096,
        "chat_template": CHAT_TEMPLATE,
    }
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "special_tokens_map.json", {**named, "additional_special_tokens": [START]})


def write_json(path: Path, content: object) -> None:
    """Write readable JSON with a final newline."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Train and write the tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=TOKENIZER_FOLDER)
    tokenizer = train(load_generator(exclusion_from_sample()))
    folder = parser.parse_args().folder
    write_files(tokenizer, folder)
    print(f"{tokenizer.get_vocab_size()} tokens written to {folder}")


if __name__ == "__main__":
    main()
