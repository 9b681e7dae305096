"""How fast steps have been, and how long something will take. Pure."""

from __future__ import annotations

from collections.abc import Sequence as Several

from engine.inference.scheduling.sequence import Sequence

_MEMORY = 0.8  # weight of the past in the measured rates
_ENOUGH = 16  # prompt tokens that make a step's time worth counting
_ALIKE = 512  # prompt tokens that push the past back once
_GUESSED_PREFILL = 200.0
_GUESSED_DECODE = 20.0


class Rates:
    """Tokens per second, 0 until measured: ``prefill`` of prompts, ``decode`` of all running answers together,
    ``decode_alone`` of one that runs alone. ``first_token``: seconds from request to first token."""

    def __init__(self) -> None:
        self.prefill = 0.0
        self.decode = 0.0
        self.decode_alone = 0.0
        self.first_token = 0.0
        self._read_tokens = 0.0  # of prompts, lately: older ones count less and less
        self._read_seconds = 0.0
        self._decode_seconds = 0.0  # of a step that decodes only

    def step(self, prompt_tokens: int, answer_tokens: int, seconds: float) -> None:
        """A step fed so many tokens of prompts and so many of answers (one each)."""
        if not prompt_tokens:
            self.decoded(answer_tokens, seconds)
            return
        if answer_tokens:  # the prompts' share of a mixed step is what a step without them would not have taken
            seconds = max(seconds - self._decode_seconds, seconds / 4)
        self.prefilled(prompt_tokens, seconds)

    def prefilled(self, tokens: int, seconds: float) -> None:
        """So many prompt tokens were fed in ``seconds``."""
        if tokens >= _ENOUGH and seconds > 0:
            kept = _MEMORY ** (tokens / _ALIKE)  # by tokens: a short piece that hides behind the weights says little
            self._read_tokens = kept * self._read_tokens + tokens
            self._read_seconds = kept * self._read_seconds + seconds
            self.prefill = self._read_tokens / self._read_seconds

    def decoded(self, tokens: int, seconds: float) -> None:
        """A step drew so many tokens, one for each sequence, in ``seconds``."""
        if tokens and seconds > 0:
            self.decode = _smooth(self.decode, tokens / seconds)
            if tokens == 1:
                self.decode_alone = _smooth(self.decode_alone, tokens / seconds)
            self._decode_seconds = _smooth(self._decode_seconds, seconds)

    def first_token_after(self, seconds: float) -> None:
        """A request had its first token after so long."""
        self.first_token = _smooth(self.first_token, seconds)

    def reading(self, tokens: int) -> float:
        """Seconds that so many prompt tokens take alone, as fast as they are read now; 0 while nobody knows."""
        return tokens / self.prefill if self.prefill else 0.0

    def prefill_within(self, seconds: float) -> int | None:
        """Prompt tokens that can be fed in ``seconds``; None while nobody knows."""
        return int(self.prefill * seconds) if self.prefill else None

    def estimate(self, running: Several[Sequence], waiting: Several[Sequence]) -> float:
        """Seconds until the last of ``waiting`` has a first token, when those before it go first."""
        prompts = sum(len(one.tokens) - one.fed for one in running)
        prompts += sum(len(one.tokens) for one in waiting)
        left = sum(one.expected for one in running) + sum(one.expected for one in waiting[:-1])
        # Of the work ahead, so much must be done that a place for each of them has become free.
        share = min(1.0, len(waiting) / max(1, len(running) + len(waiting) - 1))
        return prompts / (self.prefill or _GUESSED_PREFILL) + share * left / (self.decode or _GUESSED_DECODE)


def _smooth(past: float, value: float) -> float:
    return value if past == 0 else _MEMORY * past + (1 - _MEMORY) * value
