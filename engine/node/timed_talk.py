"""A conversation in which a verifier times how fast a node reads: one of the pool's, with a long last question."""

from __future__ import annotations

import msgspec

from engine.directory.sampling import random_below
from engine.paths.outgoing import Question
from engine.verification.challenges.pool import Conversation, Pool, RandomBytes
from engine.wire.answer import ChatMessage

LEAST_ANSWER = 48
"""Tokens that are asked for, up to twice as many: enough to tell who made them; it is the reading that counts."""
MAX_CHARACTERS = 100_000
"""Of the long question: it has to fit into a request."""
SEED_BITS = 53
INTRODUCTIONS = (
    "Here are notes that I have collected. Which of them belong together?",
    "This is a list of questions that people have asked us. What are the three main topics?",
    "Read these lines and tell me in one sentence what they have in common.",
    "I have to sort the following. Suggest a few headings, please.",
)


class TimedTalk:
    """``short``: the questions before the long one. Settings are those of the pool's conversation; answers are no
    longer than they must be."""

    def __init__(self, pool: Pool, random_bytes: RandomBytes, short: int, texts_percent: int = 0) -> None:
        self._pool = pool
        self._random_bytes = random_bytes
        self._drawn: Conversation = pool.draw(random_bytes, short, texts_percent=texts_percent)
        self._most = min(self._drawn.max_tokens, LEAST_ANSWER + random_below(LEAST_ANSWER, random_bytes))
        system = self._drawn.system
        self._messages = [ChatMessage("system", system)] if system else []
        self._written: list[str] = []
        self.short = self._drawn.texts[:short]

    @property
    def characters(self) -> int:
        """Of all that was said so far."""
        return sum(map(len, self._written)) + (len(self._drawn.system) if self._drawn.system else 0)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """Of a conversation; empty where a text is gone on with."""
        return () if self._drawn.plain else tuple(self._messages)

    @property
    def prompt(self) -> str:
        """The text that is gone on with; empty in a conversation."""
        return "".join(self._written) if self._drawn.plain else ""

    @property
    def most_tokens(self) -> int:
        """Of an answer."""
        return self._most

    def ask(self, model_id: str, text: str) -> Question:
        """The next question."""
        self._add("user", text)
        seed = random_below(1 << SEED_BITS, self._random_bytes)
        return Question(
            model_id=model_id,
            messages=self.messages,
            prompt=self.prompt,
            sampling=msgspec.structs.replace(self._drawn.sampling, seed=seed),
            max_tokens=self._most,
            min_tokens=min(self._drawn.min_tokens, self._most),
        )

    def answered(self, text: str) -> None:
        """What the node has said to it."""
        self._add("assistant", text)

    def document(self, characters: int) -> str:
        """A text of about this length that no cache holds: pieces of the pool in an order of their own."""
        characters = min(characters, MAX_CHARACTERS)
        plain = self._drawn.plain
        first = "" if plain else INTRODUCTIONS[random_below(len(INTRODUCTIONS), self._random_bytes)] + "\n"
        pieces, length = [first], len(first)
        while length < characters:
            drawn = self._pool.draw(self._random_bytes, texts_percent=100 if plain else 0).texts[0]
            pieces.append(drawn if plain else f"- {drawn}")
            length += len(pieces[-1]) + 1
        return ("\n\n" if plain else "\n").join(pieces)

    def _add(self, role: str, text: str) -> None:
        self._messages.append(ChatMessage(role, text))
        self._written.append(text)
