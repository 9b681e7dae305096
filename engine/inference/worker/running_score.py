"""One answer that is read and judged, not made: the margins of its tokens. Worker process only."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.errors import ContextLengthError, InferenceError
from engine.inference.sampling.log_probabilities import log_probabilities_of, log_probability
from engine.inference.sampling.margin import margin
from engine.inference.sampling.margin_rows import can_divide, margins, takes_everything
from engine.inference.scheduling.submission import Submission
from engine.inference.types import GenerationRequest, Impossible, TokenScores
from engine.inference.worker.answer import Grammars, Texts, begin
from engine.wire.answer import LOWEST_LOGPROB


class RunningScore:
    """``vocabulary`` and ``end_ids`` are the model's. :class:`RequestError` or :class:`InferenceError` for a wrong
    request, as for one that asks for an answer."""

    def __init__(
        self,
        request: GenerationRequest,
        output_ids: Sequence[int],
        texts: Texts,
        grammars: Grammars,
        vocabulary: int,
        end_ids: Collection[int],
    ) -> None:
        request = msgspec.structs.replace(request, top_logprobs=None, stop=())
        self._answer = begin(request, texts, grammars, vocabulary, end_ids)
        self._texts = texts
        self._end_ids = frozenset(end_ids)
        self._impossible: Impossible = ""
        self._ids = self._possible(output_ids, vocabulary)
        self._margins: list[float] = []
        self._logprobs: list[float] = []

    def _possible(self, output_ids: Sequence[int], vocabulary: int) -> tuple[int, ...]:
        """The tokens before the first that no model can have drawn."""
        request = self._answer.request
        begun = request.continue_tokens
        ended = bool(begun) and begun[-1] in self._end_ids
        for number, token in enumerate(output_ids):
            if ended:
                self._impossible = "end"
            elif request.max_tokens is not None and len(begun) + number >= request.max_tokens:
                self._impossible = "length"
            elif not 0 <= token < vocabulary:
                self._impossible = "vocabulary"
            if self._impossible:
                return tuple(output_ids[:number])
            ended = token in self._end_ids
        return tuple(output_ids)

    @property
    def complete(self) -> bool:
        """Whether :meth:`scores` says all there is to say."""
        return len(self._margins) == len(self._ids)

    def scores(self) -> TokenScores:
        """What has been found."""
        return TokenScores(self._answer.prompt_ids, tuple(self._margins), tuple(self._logprobs), self._impossible)

    def submission(self, context_length: int, *, share: bool) -> Submission:
        """The scheduler's view of it: a prompt after whose last tokens logits are wanted. The last token of the answer
        itself need not be read. :class:`ContextLengthError` where the model cannot hold so many."""
        request = self._answer.request
        before = self._answer.prompt_ids + request.continue_tokens
        if len(before) + len(self._ids) > context_length:
            raise ContextLengthError(
                f"The conversation and its answer have {len(before) + len(self._ids)} tokens together, but this model "
                f"holds {context_length} here, so the answer cannot be computed again."
            )
        return Submission(
            prompt_ids=before + self._ids[:-1],
            max_tokens=1,
            owner=request.owner,
            public_tokens=self._texts.public_tokens(request, self._answer.prompt_ids) if share else 0,
            cache_salt=request.cache_salt if share else b"",
            scored=len(self._ids),
        )

    def take(self, read: int, logits: NDArray[np.float32]) -> None:
        """``logits`` [n, vocabulary] after each of the last n of ``read`` tokens; some may have come before, where the
        work was begun anew. :class:`InferenceError` when they are not numbers or the form cannot be followed."""
        before = len(self._answer.prompt_ids) + len(self._answer.request.continue_tokens)
        known = len(self._margins) - (read - len(logits) + 1 - before)
        if known < 0:
            return
        rows = logits[known:]
        while len(rows) and not self.complete:
            taken = self._score_many(rows)
            if not taken:
                self._score(len(self._margins), self._ids[len(self._margins)], rows[0])
                taken = 1
            rows = rows[taken:]

    def _score_many(self, logits: NDArray[np.float32]) -> int:
        """Score the next tokens together where they can be; how many these were. Their order says nothing then."""
        request, number = self._answer.request, len(self._margins)
        if self._answer.matcher is not None or not takes_everything(request.sampling):
            return 0
        position = len(request.continue_tokens) + number
        few = max(0, request.min_tokens - position)  # so many may not be the end of the turn
        tokens = self._ids[number : number + min(len(logits), few or len(logits))]
        if few and tokens and tokens[-1] in self._end_ids:  # only the last one can be
            tokens = tokens[:-1]
        rows = logits[: len(tokens)]
        if not tokens or not can_divide(rows, request.sampling.temperature):
            return 0
        hidden = self._end_ids if few else frozenset[int]()
        self._margins += margins(request.sampling, position, rows, tokens, hidden).tolist()
        self._logprobs += [max(LOWEST_LOGPROB, one) for one in log_probabilities_of(rows, tokens)]
        return len(tokens)

    def _score(self, number: int, token: int, logits: NDArray[np.float32]) -> None:
        answer = self._answer
        position = len(answer.request.continue_tokens) + number
        few = position < answer.request.min_tokens
        found = margin(answer.draw(position, self._end_ids if few else frozenset()), logits, token)
        if found is None:
            self._stop("min_tokens" if few and token in self._end_ids else "constraint", number)
            return
        self._margins.append(found)
        self._logprobs.append(max(LOWEST_LOGPROB, log_probability(logits, token)))
        try:
            answer.accept(token)
        except InferenceError:
            self._margins.pop()
            self._logprobs.pop()
            self._stop("constraint", number)

    def _stop(self, reason: Impossible, number: int) -> None:
        self._impossible = reason
        self._ids = self._ids[:number]
