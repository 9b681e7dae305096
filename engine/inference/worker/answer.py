"""One answer in the making: what was asked, what the sampler and the decoder remember of it. Worker process only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import InvalidRequestError
from engine.inference.sampling.batch import Choice, Draw
from engine.inference.sampling.constraint import Matcher
from engine.inference.sampling.history import TokenHistory
from engine.inference.scheduling.submission import Submission
from engine.inference.text.decoder import AnswerText
from engine.inference.types import Constraint, GenerationRequest, TokenLogprob


class Texts(Protocol):
    """What knows the tokens (``engine.inference.text.tokenizer.ChatTokenizer``)."""

    def prompt_ids(self, request: GenerationRequest) -> tuple[int, ...]: ...

    def public_tokens(self, request: GenerationRequest, prompt_ids: Sequence[int]) -> int: ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def token_bytes(self, token: int) -> bytes: ...


class Grammars(Protocol):
    """What holds answers to a form (``engine.inference.sampling.constraint.GrammarFactory``)."""

    def matcher(self, constraint: Constraint) -> Matcher: ...


@dataclass(slots=True)
class Answer:
    """``stopped``: the tokens to continue hold a stop string already. ``delivered``: characters of the text held back
    that whoever made these tokens has shown all the same, at the end. ``place``: the one that was told last."""

    request: GenerationRequest
    prompt_ids: tuple[int, ...]
    history: TokenHistory
    text: AnswerText
    matcher: Matcher | None
    stopped: bool
    delivered: int = 0
    started: bool = False
    place: int = 0

    def draw(self, position: int, suppressed: frozenset[int]) -> Draw:
        """What the sampler is asked for the token at ``position``; InferenceError where the form cannot be followed."""
        mask = None if self.matcher is None else self.matcher.allowed()
        return Draw(self.request.sampling, position, self.history, suppressed, mask, self.request.top_logprobs)

    def accept(self, token: int) -> None:
        """The token was drawn."""
        self.history.append(token)
        if self.matcher is not None:
            self.matcher.accept(token)


def begin(request: GenerationRequest, texts: Texts, grammars: Grammars, vocabulary: int = 0) -> Answer:
    """The answer at its beginning, or where the tokens to continue end; :class:`RequestError` for what is wrong.

    Token ids that the request names must be below ``vocabulary`` (0: not checked).
    """
    _check_ids("logit_bias", [token for token, _ in request.sampling.logit_bias], vocabulary)
    _check_ids("prompt", request.prompt_tokens, vocabulary)
    _check_ids("continue_tokens", request.continue_tokens, vocabulary)
    prompt_ids = request.prompt_tokens or texts.prompt_ids(request)
    _check_tokenizer(request.model_id, prompt_ids, vocabulary)
    text = AnswerText(texts.decode, request.stop, request.min_tokens)
    stopped, shown = False, 0
    for token in request.continue_tokens:  # their text was delivered by whoever made them
        piece, ended = text.push(token)
        stopped, shown = stopped or ended, shown + len(piece)
    delivered = max(0, (request.continue_characters or 0) - shown)
    matcher = None
    if request.constraint is not None:
        matcher = grammars.matcher(request.constraint)
        matcher.replay(request.continue_tokens)
    history = TokenHistory(prompt_ids, request.continue_tokens)
    return Answer(request, prompt_ids, history, text, matcher, stopped, delivered)


def _check_ids(parameter: str, ids: Sequence[int], vocabulary: int) -> None:
    unknown = [token for token in ids if not 0 <= token < vocabulary] if vocabulary else []
    if unknown:
        raise InvalidRequestError(
            f"{parameter} names the token {unknown[0]}, but this model's tokens are numbered 0 to {vocabulary - 1}. "
            "Use the ids of the model's own tokenizer.",
            parameter,
        )


def _check_tokenizer(model_id: str, ids: Sequence[int], vocabulary: int) -> None:
    """A token that the graph does not know would fail the whole step, with everybody in it."""
    if vocabulary and max(ids, default=0) >= vocabulary:
        raise InvalidRequestError(
            f"The tokenizer of {model_id} makes the token {max(ids)}, but the model knows only {vocabulary}: its files "
            "belong to different models. Download it again, or choose another model."
        )


def submission(answer: Answer, texts: Texts, *, share: bool) -> Submission:
    """The scheduler's view of it. ``share``: whether cached prompts of others give the same numbers."""
    request = answer.request
    return Submission(
        prompt_ids=answer.prompt_ids,
        max_tokens=request.max_tokens,
        min_tokens=request.min_tokens,
        answer_ids=request.continue_tokens,
        owner=request.owner,
        max_tokens_per_second=request.max_tokens_per_second,
        public_tokens=texts.public_tokens(request, answer.prompt_ids) if share else 0,
        cache_salt=request.cache_salt if share else b"",
    )


def reported(choice: Choice, texts: Texts) -> tuple[TokenLogprob, ...]:
    """The log probability of a drawn token, where it was asked for."""
    if choice.logprob is None:
        return ()
    top = tuple((token, texts.token_bytes(token), value) for token, value in choice.top)
    return (TokenLogprob(choice.token, texts.token_bytes(choice.token), choice.logprob, top),)
