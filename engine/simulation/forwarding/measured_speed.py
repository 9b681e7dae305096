"""What a simulated node learns of its own speed, by the rules of ``engine.inference.scheduling.rates``."""

from __future__ import annotations

from engine.simulation.forwarding.node_kinds import NodeKind

_SMOOTH = 0.8  # weight of the past, as there
_COUNTED = 16  # prompt tokens that make a time worth counting, as there
_ALIKE = 512  # prompt tokens that push the past back once, as there


class MeasuredSpeed:
    """Of one node; it begins with what its kind is said to do."""

    def __init__(self, kind: NodeKind) -> None:
        self._kind = kind
        self._read_tokens, self._read_seconds = kind.prefill_rate, 1.0  # lately, older ones less and less
        self._decode_rate = 1 / kind.decode_seconds(1, 0)
        self.first_token_seconds = 0.0

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens per second."""
        return self._read_tokens / self._read_seconds

    def decode_rate(self, answers: int, context: float) -> float:
        """Tokens per second of all ``answers`` that are being written with ``context`` tokens before them; the last
        known when there is none."""
        if answers:
            self._decode_rate = answers / self._kind.decode_seconds(answers, context)
        return self._decode_rate

    def first_token(self, waited: float, uncached: int, work: float, answers: int, context: float) -> None:
        """A first token came ``waited`` seconds after its request; ``uncached`` tokens were read for it, in ``work``
        seconds, while ``answers`` were being written."""
        kind, smooth = self._kind, self.first_token_seconds
        self.first_token_seconds = _SMOOTH * smooth + (1 - _SMOOTH) * waited if smooth else waited
        if uncached < _COUNTED:
            return
        seconds = work - kind.request_seconds
        if kind.overlaps:
            seconds = max(kind.step_seconds, seconds)
        if answers and kind.overlaps:
            writing = answers * kind.answer_seconds + context * kind.kv_token_seconds
            seconds = max(seconds - kind.step_seconds, (seconds + writing) / 4)
        kept = _SMOOTH ** (uncached / _ALIKE)
        self._read_tokens = kept * self._read_tokens + uncached
        self._read_seconds = kept * self._read_seconds + seconds
