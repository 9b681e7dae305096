"""Text to tokens and back, by the model repository's own tokenizer and chat template. Lives in the worker process.

transformers is imported when the first tokenizer is loaded (it takes a second), never by importing this module, and
runs no code of the repository.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.errors import InvalidRequestError, ModelFolderError
from engine.inference.models.folder import ModelFolder
from engine.inference.types import GenerationRequest, PromptMessage

ROLES = ("system", "user", "assistant", "tool")


class ChatTokenizer:
    """The tokenizer of one model folder."""

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder
        self._tokenizer = _load(folder)
        if not getattr(self._tokenizer, "chat_template", None):
            raise ModelFolderError(
                f"{folder.tokenizer_path} has no chat template (chat_template.jinja, or chat_template in "
                "tokenizer_config.json), so it cannot hold a conversation. Choose the instruction-tuned variant of the "
                "model."
            )
        self._backend = _load_backend(folder)

    @property
    def end_ids(self) -> frozenset[int]:
        """The tokenizer's own end token, if it names one."""
        end = self._tokenizer.eos_token_id
        return frozenset() if end is None else frozenset({int(end)})

    def prompt_ids(self, request: GenerationRequest) -> tuple[int, ...]:
        """The request as token ids, ready for the answer; :class:`InvalidRequestError`."""
        if request.prompt is not None:
            ids = self._backend.encode(request.prompt).ids
        else:
            check_messages(request.messages)
            text = self._rendered(request.messages, request, begin_answer=True)
            ids = self._backend.encode(text, add_special_tokens=False).ids
        if not ids:
            raise InvalidRequestError("The conversation is empty: write something.")
        return tuple(ids)

    def public_tokens(self, request: GenerationRequest, prompt_ids: Sequence[int]) -> int:
        """How many leading tokens of the prompt the public part alone decides, rounded down to whole tokens."""
        messages = request.messages[: request.public_messages]
        following = request.messages[len(messages) : len(messages) + 1]
        if request.prompt is not None or not (messages or (following and request.public_characters)):
            return 0
        text = self._public_text(request, messages, following)
        ids = self._backend.encode(text, add_special_tokens=False).ids
        same = (index for index, pair in enumerate(zip(ids, prompt_ids, strict=False)) if pair[0] != pair[1])
        return next(same, min(len(ids), len(prompt_ids)))

    def _public_text(
        self, request: GenerationRequest, messages: Sequence[PromptMessage], following: Sequence[PromptMessage]
    ) -> str:
        """The beginning of the prompt that does not depend on anything private."""
        full = self._rendered(request.messages, request, begin_answer=True)
        try:
            text = self._rendered(messages, request, begin_answer=False) if messages else ""
        except InvalidRequestError:  # a template may want more than the public messages
            return ""
        if not full.startswith(text):
            return ""
        if following and request.public_characters:
            public = following[0].content[: request.public_characters]
            place = full.find(following[0].content, len(text))
            if place >= 0:
                text = full[: place + len(public)]
        return text

    def _rendered(self, messages: Sequence[PromptMessage], request: GenerationRequest, *, begin_answer: bool) -> str:
        conversation = [_for_template(message) for message in messages]
        options = json.loads(request.template_options) if request.template_options else {}
        tools = json.loads(request.tools) if request.tools else None
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    conversation, tools=tools, tokenize=False, add_generation_prompt=begin_answer, **options
                )
            )
        except Exception as error:  # templates raise whatever they like
            raise InvalidRequestError(
                f"The chat template of {self._folder.model_id} refuses this conversation: {_first_line(error)}. "
                "Many templates want user and assistant in turns, with at most one system message, at the beginning."
            ) from error

    def token_bytes(self, token: int) -> bytes:
        """The text of one token alone."""
        return str(self._backend.decode([token], skip_special_tokens=False)).encode()

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens; bytes that are no whole character become U+FFFD."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))


def _for_template(message: PromptMessage) -> dict[str, Any]:
    """The message as chat templates know it."""
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    named = {"name": message.name, "tool_call_id": message.tool_call_id}
    told |= {name: value for name, value in named.items() if value}
    if message.reasoning:
        told["reasoning_content"] = message.reasoning
    if message.tool_calls:
        told["tool_calls"] = json.loads(message.tool_calls)
    return told


def check_messages(messages: Sequence[PromptMessage]) -> None:
    """Refuse what no template could take; :class:`InvalidRequestError`."""
    if not messages:
        raise InvalidRequestError("The conversation has no messages: write at least one with the role user.")
    for message in messages:
        if message.role not in ROLES:
            raise InvalidRequestError(f"The role {message.role[:40]!r} is not known. Use one of: {', '.join(ROLES)}.")


def _load(folder: ModelFolder) -> Any:
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder.tokenizer_path), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # whatever a broken file makes the library raise
        raise ModelFolderError(
            f"The tokenizer in {folder.tokenizer_path} cannot be loaded: {_first_line(error)}. Download tokenizer.json "
            "and tokenizer_config.json from the model's repository again."
        ) from error
    return tokenizer


def _load_backend(folder: ModelFolder) -> Any:
    """tokenizer.json as it stands: transformers rebuilds some families' pre-tokenizers from its own knowledge, and what
    decides the ids should be the file whose digest is announced."""
    from tokenizers import Tokenizer

    path = folder.tokenizer_path / "tokenizer.json"
    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain exceptions
        raise ModelFolderError(f"{path} cannot be loaded: {_first_line(error)}. Download it again.") from error
    backend.no_truncation()
    backend.no_padding()
    if backend.get_vocab_size() > folder.vocabulary:
        raise ModelFolderError(
            f"{path} has {backend.get_vocab_size()} tokens, but the model knows only {folder.vocabulary} (vocab_size "
            "in config.json). The two files belong to different models: download both again."
        )
    return backend


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__
