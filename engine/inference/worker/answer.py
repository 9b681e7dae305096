"""One answer in the making: what was asked, what the sampler and the decoder remember of it. Worker process only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidRequestError
from engine.inference.sampling.after_reasoning import AfterReasoning
from engine.inference.sampling.batch import Choice, Draw
from engine.inference.sampling.constraint import Matcher
from engine.inference.sampling.history import TokenHistory
from engine.inference.scheduling.submission import Submission
from engine.inference.text.answer_parts import AnswerParser
from engine.inference.text.call_forms import form_of
from engine.inference.text.decoder import AnswerText
from engine.inference.text.prompt import Prompt
from engine.inference.types import AnswerStyle, Constraint, GenerationRequest, TokenLogprob


class Texts(Protocol):
    """What knows the tokens (``engine.inference.text.tokenizer.ChatTokenizer``)."""

    def prompt(self, request: GenerationRequest) -> Prompt: ...

    def public_tokens(self, request: GenerationRequest, prompt_ids: Sequence[int]) -> int: ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def token_bytes(self, token: int) -> bytes: ...


class Grammars(Protocol):
    """What holds answers to a form (``engine.inference.sampling.constraint.GrammarFactory``)."""

    def matcher(self, constraint: Constraint) -> Matcher: ...

    def literal(self, text: str) -> str: ...

    def anything_but_the_end(self) -> NDArray[np.uint8]: ...


@dataclass(slots=True)
class Answer:
    """``calls`` reads along where the answer has to end after one call. ``stopped``: the tokens to continue hold a stop
    string already. ``delivered``: characters of the text held back that whoever made these tokens has shown all the
    same, at the end. ``missed``: the end of their text that was not shown, because its maker went away between a token
    and its text. ``place``: the one that was told last."""

    request: GenerationRequest
    prompt_ids: tuple[int, ...]
    history: TokenHistory
    style: AnswerStyle
    text: AnswerText
    matcher: Matcher | AfterReasoning | None
    calls: AnswerParser | None
    stopped: bool
    delivered: int = 0
    missed: str = ""
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

    def push(self, token: int) -> tuple[str, bool]:
        """The text to show for one more token, and whether the answer ends here: by a stop string, or after the only
        call that it may have."""
        shown, stopped = self.text.push(token)
        if self.calls is not None:
            self.calls.push(shown)
            stopped = stopped or self.calls.calls > 0
        return shown, stopped


def begin(
    request: GenerationRequest,
    texts: Texts,
    grammars: Grammars,
    vocabulary: int = 0,
    end_ids: Collection[int] = (),
) -> Answer:
    """The answer at its beginning, or where the tokens to continue end; :class:`RequestError` for what is wrong.

    Token ids that the request names must be below ``vocabulary`` (0: not checked). ``end_ids`` have no text, whatever
    the tokenizer says of them.
    """
    _check_ids("logit_bias", [token for token, _ in request.sampling.logit_bias], vocabulary)
    _check_ids("prompt", request.prompt_tokens, vocabulary)
    _check_ids("continue_tokens", request.continue_tokens, vocabulary)
    prompt = Prompt(request.prompt_tokens) if request.prompt_tokens else texts.prompt(request)
    _check_tokenizer(request.model_id, prompt.ids, vocabulary)
    constraint = form_of(request, prompt.style.tool_calls, grammars.literal)
    answer = Answer(
        request=request,
        prompt_ids=prompt.ids,
        history=TokenHistory(prompt.ids, request.continue_tokens),
        style=prompt.style,
        text=AnswerText(texts.decode, request.stop, request.min_tokens),
        matcher=None if constraint is None else _matcher(request, constraint, prompt.style, texts, grammars),
        calls=_one_call(request, prompt.style),
        stopped=False,
    )
    pieces = []
    for token in request.continue_tokens:  # their text was delivered by whoever made them
        piece, ended = answer.push(token) if token not in end_ids else ("", False)
        answer.stopped = answer.stopped or ended
        pieces.append(piece)
    shown = "".join(pieces)
    if request.continue_characters is not None:
        answer.delivered = max(0, request.continue_characters - len(shown))
        answer.missed = shown[request.continue_characters :]
    if answer.matcher is not None:
        answer.matcher.replay(request.continue_tokens)
    return answer


def _matcher(
    request: GenerationRequest, constraint: Constraint, style: AnswerStyle, texts: Texts, grammars: Grammars
) -> Matcher | AfterReasoning:
    try:
        matcher = grammars.matcher(constraint)
    except InvalidRequestError as error:
        if constraint == request.constraint:
            raise
        raise InvalidRequestError(f"No call can be held to the parameters of these tools. {error}", "tools") from error
    if not style.reasoning_open:
        return matcher
    return AfterReasoning(matcher, grammars.anything_but_the_end(), texts.decode, style.reasoning_end)


def _one_call(request: GenerationRequest, style: AnswerStyle) -> AnswerParser | None:
    """A forced call is kept alone by its grammar."""
    wanted = bool(request.tools) and not request.parallel_tool_calls and not request.tool_choice
    return AnswerParser(style, True) if wanted and style.tool_calls else None


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
