"""What has arrived of one answer, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.api.service import AnswerDelta, AnswerEvent
from engine.inference.types import TokenLogprob
from engine.node.reading import Reading


@dataclass(slots=True)
class Progress:
    """Times are monotonic seconds."""

    begun: float
    reading: Reading
    ids: list[int] = field(default_factory=list)
    characters: int = 0
    first_at: float | None = None
    last_at: float = 0.0

    def add(self, ids: tuple[int, ...], text: str, now: float, logprobs: tuple[TokenLogprob, ...]) -> AnswerDelta:
        """Tokens arrived."""
        if self.first_at is None:
            self.first_at = now
        self.last_at = now
        self.ids.extend(ids)
        self.characters += len(text)
        return AnswerDelta(ids, text, self.reading.push(text), logprobs)

    def rest(self) -> list[AnswerEvent]:
        """What the text turns out to mean at its end."""
        parts = self.reading.flush()
        return [AnswerDelta((), "", parts)] if parts else []

    @property
    def ttft_ms(self) -> float:
        """Milliseconds from the question to the first token."""
        return 0.0 if self.first_at is None else (self.first_at - self.begun) * 1000

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second after the first one."""
        if self.first_at is None or self.last_at <= self.first_at:
            return 0.0
        return (len(self.ids) - 1) / (self.last_at - self.first_at)
