"""What all replies of ``/v1`` have in common: their frame, usage, models, and the object ``gentorrent``, which holds
what OpenAI has no field for. How one kind of completion words its choices stands in ``chat_reply``,
``completion_reply``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from engine.api.badge import badge_of
from engine.api.error_reply import encode
from engine.api.parameters import ParsedRequest
from engine.api.schema import ModelState
from engine.api.service import AnswerDelta, AnswerDone, AnswerStage
from engine.sentences import plain


class Choice(Protocol):
    """One answer of a reply, streamed (``chunks``, then ``last``) or whole (``add``, then ``whole``). Results are
    objects of ``choices``."""

    def chunks(self, delta: AnswerDelta) -> list[dict[str, Any]]:
        """What ``delta`` adds to a stream."""
        ...

    def last(self, done: AnswerDone) -> list[dict[str, Any]]:
        """The end of a stream; the last object has the finish reason."""
        ...

    def add(self, delta: AnswerDelta) -> None:
        """More of a whole answer."""
        ...

    def whole(self, done: AnswerDone) -> dict[str, Any]:
        """The whole answer."""
        ...


@dataclass(frozen=True, slots=True)
class ReplyKind:
    """``prefix`` of the reply's id, the names of its objects, and how it words a choice (by index)."""

    prefix: str
    whole: str
    chunk: str
    asked: str  # the parameter that holds what is asked
    choice: Callable[[ParsedRequest, int], Choice]


def model_object(model: ModelState, created: int) -> dict[str, Any]:
    """One entry of ``/v1/models``."""
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": "gentorrent",
        "gentorrent": {
            "where": model.where,
            "nodes": model.nodes,
            "context_length": model.context_length,
            "provider": model.provider,
            "provider_reason": model.provider_reason,
        },
    }


def usage_object(done: Mapping[int, AnswerDone], n: int) -> dict[str, Any]:
    """Real token counts, of all answers together; a prompt counts once for its ``n`` answers."""
    prompts = [done[index] for index in sorted(done) if index % n == 0]
    prompt_tokens = sum(one.prompt_tokens for one in prompts)
    completion_tokens = sum(one.completion_tokens for one in done.values())
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": sum(one.cached_tokens for one in prompts)},
    }


def extension_object(done: AnswerDone, seed: int, *, receipt: bool) -> dict[str, Any]:
    """The reply's ``gentorrent`` object; ``receipt`` adds the export."""
    badge, reason = badge_of(done)
    extension: dict[str, Any] = {
        "served_by": done.served_by,
        **({"machines": done.machines} if len(done.machines) > 1 else {}),
        **({"asked": done.asked} if done.asked else {}),
        "paths": done.paths,
        "n": done.n,
        "k": done.k,
        "ttft_ms": round(done.ttft_ms, 1),
        "tokens_per_s": round(done.tokens_per_s, 2),
        "receipt_verified": done.receipt == "verified",
        "receipt_status": done.receipt,
        "receipt_reason": plain(done.receipt_reason),
        "badge": badge,
        "badge_reason": plain(reason),
        **({"standings": done.standings} if done.standings else {}),
        "seed": seed,
    }
    if done.privacy is not None:
        extension["privacy"] = done.privacy
    if receipt and done.receipt_export:
        extension["receipt"] = msgspec.Raw(done.receipt_export.encode("utf-8"))
    return extension


class Reply:
    """The replies to one request, which share id, time and model. Methods give the JSON bytes of objects."""

    def __init__(self, kind: ReplyKind, parsed: ParsedRequest, created: int) -> None:
        self._kind = kind
        self._parsed = parsed
        self._common = {"id": f"{kind.prefix}{secrets.token_hex(12)}", "created": created}
        self._common["model"] = parsed.answer.model_id
        self._choices = [kind.choice(parsed, index) for index in range(len(parsed.answers))]
        self._done: dict[int, AnswerDone] = {}

    # Whole

    def add(self, index: int, delta: AnswerDelta) -> None:
        """More of a whole answer."""
        self._choices[index].add(delta)

    def end(self, index: int, done: AnswerDone) -> None:
        """A whole answer has ended."""
        self._done[index] = done

    def whole(self) -> bytes:
        """The reply, once every answer has ended. ``gentorrent`` stands beside the choices where there is one of them,
        else inside each."""
        choices = [choice.whole(self._done[index]) for index, choice in enumerate(self._choices)]
        extensions = [self._extension(index) for index in range(len(choices))]
        more = {"gentorrent": extensions[0]} if len(choices) == 1 else {}
        if not more:
            choices = [{**one, "gentorrent": told} for one, told in zip(choices, extensions, strict=True)]
        return self._object(self._kind.whole, choices, usage=usage_object(self._done, self._parsed.n), **more)

    # Streamed

    def chunks(self, index: int, delta: AnswerDelta) -> list[bytes]:
        """What ``delta`` adds to answer ``index``."""
        return [self._chunk(choice) for choice in self._choices[index].chunks(delta)]

    def last(self, index: int, done: AnswerDone) -> list[bytes]:
        """The end of answer ``index``."""
        self._done[index] = done
        *before, last = self._choices[index].last(done)
        return [*(self._chunk(one) for one in before), self._chunk(last, gentorrent=self._extension(index))]

    def usage(self) -> bytes:
        """The chunk that ``stream_options.include_usage`` asks for."""
        return self._object(self._kind.chunk, [], usage=usage_object(self._done, self._parsed.n))

    def stage(self, stage: AnswerStage) -> bytes:
        """A chunk without choices that says where the request stands."""
        told = {"stage": stage.stage, "place": stage.place, "estimate": stage.estimate, "text": plain(stage.text)}
        return self._object(self._kind.chunk, [], gentorrent=told)

    def _chunk(self, choice: dict[str, Any], **more: Any) -> bytes:
        if self._parsed.include_usage:
            more["usage"] = None
        return self._object(self._kind.chunk, [choice], **more)

    def _extension(self, index: int) -> dict[str, Any]:
        seed = self._parsed.answers[index].sampling.seed
        return extension_object(self._done[index], seed, receipt=self._parsed.receipt)

    def _object(self, name: str, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return encode({**self._common, "object": name, "choices": choices, **more})
