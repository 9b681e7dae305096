"""Turns generated conversations into batches of token ids of a few fixed lengths."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from generate import Conversation
from numpy.typing import NDArray
from tokenizers import Tokenizer
from train_tokenizer import END, PAD, START

LENGTHS = (24, 32, 40, 64, 112, 192, 384)
LONG_STEP = 512
TOKENS_PER_BATCH = 2048
CONTEXT = 4096
HEAD_TOKENS = (4, 9)


@dataclass(frozen=True)
class Batch:
    """``ids`` [rows, length]; ``learn`` [rows, length] is true where the token is to be predicted."""

    ids: NDArray[np.int64]
    learn: NDArray[np.bool_]


@dataclass(frozen=True)
class Sequence:
    """Token ids of one conversation and which of them are learnt."""

    ids: list[int]
    learn: list[bool]


class Encoder:
    """Encodes conversations; questions are split with BPE dropout so that unusual splits are known too."""

    def __init__(self, tokenizer: Tokenizer, dropout: float = 0.06) -> None:
        self.exact = tokenizer
        self.loose = Tokenizer.from_str(tokenizer.to_str())
        self.loose.model.dropout = dropout
        self.start = tokenizer.token_to_id(START)
        self.end = tokenizer.token_to_id(END)
        self.pad = tokenizer.token_to_id(PAD)
        self.newline = self._plain("\n")
        self.heads = {role: [self.start, *self._plain(role + "\n")] for role in ("system", "user", "assistant")}
        self.answers: dict[str, list[int]] = {}

    def _plain(self, text: str) -> list[int]:
        return list(self.exact.encode(text, add_special_tokens=False).ids)

    def answer(self, text: str) -> list[int]:
        """Ids of an answer and its end mark."""
        if text not in self.answers:
            self.answers[text] = [*self._plain(text), self.end]
        return self.answers[text]

    def encode(self, conversation: Conversation, rng: random.Random, cut: bool) -> Sequence:
        """Ids of a conversation; ``cut`` ends it soon after the last answer has begun."""
        ids: list[int] = []
        learn: list[bool] = []

        def add(tokens: list[int], learnt: bool) -> None:
            ids.extend(tokens)
            learn.extend([learnt] * len(tokens))

        if conversation.system is not None:
            add([*self.heads["system"], *self._plain(conversation.system), self.end, *self.newline], False)
        for index, turn in enumerate(conversation.turns):
            loose = rng.random() < 0.5
            question = (self.loose if loose else self.exact).encode(turn.question, add_special_tokens=False).ids
            add([*self.heads["user"], *question, self.end, *self.newline, *self.heads["assistant"]], False)
            answer = self.answer(turn.answer)
            if cut and index == len(conversation.turns) - 1:
                answer = answer[: rng.randint(*HEAD_TOKENS)]
            add(answer, True)
            add(self.newline, False)
        return Sequence(ids[:CONTEXT], learn[:CONTEXT])


def pad_rows(rows: list[Sequence], length: int, pad: int) -> Batch:
    """Right-padded arrays."""
    ids = np.full((len(rows), length), pad, dtype=np.int64)
    learn = np.zeros((len(rows), length), dtype=np.bool_)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = row.ids
        learn[index, : len(row.learn)] = row.learn
    return Batch(ids, learn)


def round_batches(encoder: Encoder, conversations: list[tuple[Conversation, bool]], number: int) -> list[Batch]:
    """All batches of a round in random order; sequences of more than the longest bucket stand alone."""
    rng = random.Random(f"encode {number}")
    buckets: dict[int, list[Sequence]] = {length: [] for length in LENGTHS}
    batches = []
    for conversation, cut in conversations:
        sequence = encoder.encode(conversation, rng, cut)
        fitting = [length for length in LENGTHS if length >= len(sequence.ids)]
        if fitting:
            buckets[fitting[0]].append(sequence)
        else:
            length = -(-len(sequence.ids) // LONG_STEP) * LONG_STEP
            batches.append(pad_rows([sequence], length, encoder.pad))
    for length, rows in buckets.items():
        count = TOKENS_PER_BATCH // length
        for first in range(0, len(rows), count):
            chosen = rows[first : first + count]
            if len(chosen) < count:
                chosen = chosen + rng.choices(rows, k=count - len(chosen)) if len(chosen) * 2 >= count else []
            if chosen:
                batches.append(pad_rows(chosen, length, encoder.pad))
    rng.shuffle(batches)
    return batches
