"""Text to tokens and back, by the model repository's own tokenizer and chat template. Lives in the worker process.

Nothing of the repository is run but its chat template, in a sandbox. ``tokenizers`` is imported when the first
tokenizer is loaded, never by importing this module.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.errors import InvalidRequestError, ModelFolderError
from engine.inference.models.folder import ModelFolder
from engine.inference.models.templates import read_templates
from engine.inference.text.conversation import check_messages, template_messages, template_options, template_tools
from engine.inference.text.prompt import Prompt
from engine.inference.text.special_tokens import read_special_tokens
from engine.inference.text.spelled_tokens import MARK, SpelledTokens
from engine.inference.text.style import detect_style, marks_of
from engine.inference.text.template import ChatTemplate, TemplateError
from engine.inference.text.token_bytes import broken_bytes
from engine.inference.types import GenerationRequest, PromptMessage
from engine.sentences import said_by, say

_TURN = "the answer of the assistant"


def _now() -> datetime:
    return datetime.now().astimezone()


def _date_of(request: GenerationRequest) -> datetime | None:
    return None if request.dated is None else datetime.fromtimestamp(request.dated, UTC)


class ChatTokenizer:
    """The tokenizer and chat template of one model folder; :class:`ModelFolderError` if they cannot be used.

    ``today`` gives the date that some templates write into the prompt, where the request has none.
    """

    def __init__(self, folder: ModelFolder, today: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._special = read_special_tokens(folder)
        self._backend = _load_backend(folder)
        sources = read_templates(folder)
        self._default = self._compiled(sources.get("default"), today)
        self._with_tools = self._compiled(sources["tool_use"], today) if "tool_use" in sources else self._default
        added = self._backend.get_added_tokens_decoder()
        texts = {token.content for token in added.values()}
        self._style = detect_style(self._probe, {self._default.source, self._with_tools.source}, texts)
        kept = marks_of(self._style)
        self._hidden = frozenset(
            number for number, token in added.items() if token.special and token.content not in kept
        )
        self._specials = frozenset(number for number, token in added.items() if token.special)
        self._mark = _add_mark(self._backend)
        self._hidden |= {self._mark}
        try:
            self._try_out({number: token.content for number, token in added.items()}, kept)
        except InvalidRequestError as error:  # it cannot even encode the template's own words
            path = folder.tokenizer_path / "tokenizer.json"
            raise ModelFolderError(say("folder.tokenizer_broken", path=str(path), reason=said_by(error))) from error

    def _try_out(self, added: dict[int, str], kept: Collection[str]) -> None:
        """Look at what the template and the tokenizer make of the simplest texts."""
        # Decoders leave out the blank that begins a text, so a token is looked at behind another one.
        self._before = self._ids("a", add_special_tokens=False)[-1:]
        self._text_before = str(self._backend.decode(list(self._before), skip_special_tokens=False))
        plain = self._plain_conversation()
        self.end_ids = self._find_ends(plain)
        tokens = self._written_by_templates(plain, added)
        self._spelled = SpelledTokens(tokens)
        self._spelled_in_answers = SpelledTokens(tokens - set(kept))

    @property
    def takes_tools(self) -> bool:
        """Whether the chat template has a place for tools."""
        return "tools" in self._with_tools.variables or self._tools_in_message

    @property
    def _tools_in_message(self) -> bool:
        """Phi 4 mini's template takes the tools from the system message."""
        template = self._with_tools
        return "tools" not in template.variables and "tools" in template.attributes

    # ------------------------------------------------------------------------------------------------- prompts

    def prompt(self, request: GenerationRequest) -> Prompt:
        """The request as token ids, ready for the answer; :class:`InvalidRequestError`."""
        if request.prompt is not None:
            prompt = Prompt(self._plain_ids(request.prompt))
        else:
            check_messages(request.messages)
            text = self._rendered(request.messages, request, begin_answer=True)
            begin = self._style.reasoning_begin
            is_open = bool(begin) and text.rstrip().endswith(begin)
            style = msgspec.structs.replace(self._style, reasoning_open=is_open)
            prompt = Prompt(self._encoded(text), style)
        if not prompt.ids:
            raise InvalidRequestError("The conversation is empty: write something.")
        return prompt

    def public_tokens(self, request: GenerationRequest, prompt_ids: Sequence[int]) -> int:
        """How many leading tokens of the prompt the public part alone decides, rounded down to whole tokens."""
        messages = request.messages[: request.public_messages]
        following = request.messages[len(messages) : len(messages) + 1]
        if request.prompt is not None or not (messages or (following and request.public_characters)):
            return 0
        ids = self._encoded(self._public_text(request, messages, following))
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
            spelled = self._spelled_by(following[0].role)
            public = spelled.parted(following[0].content[: request.public_characters])
            place = full.find(spelled.parted(following[0].content), len(text))
            if place >= 0:
                text = full[: place + len(public)]
        return text

    def _rendered(self, messages: Sequence[PromptMessage], request: GenerationRequest, *, begin_answer: bool) -> str:
        try:
            short_ids = self._style.tool_calls == "mistral"
            messages_told = template_messages(messages, short_ids=short_ids)
            told = [self._spelled_by(one["role"]).parted(one) for one in messages_told]
            tools = self._spelled.parted(template_tools(request))
            options = self._spelled.parted(template_options(request))
        except RecursionError as error:
            raise InvalidRequestError("The arguments of a call are nested too deeply. Make them flatter.") from error
        if tools is not None and not self.takes_tools:
            raise InvalidRequestError(
                f"{self._folder.model_id} cannot be given tools: its chat template has no place for them. Send the "
                "request without tools, or choose another model.",
                "tools",
            )
        try:
            return self._render(told, tools, options, begin_answer=begin_answer, date=_date_of(request))
        except TemplateError as error:
            raise InvalidRequestError(
                f"The chat template of {self._folder.model_id} refuses this conversation: {error}. "
                "Many templates want user and assistant in turns, with at most one system message, at the beginning."
            ) from error

    def _spelled_by(self, role: str) -> SpelledTokens:
        """What is parted in a message. The marks of an answer's parts are not in the assistant's messages: templates
        look for them there."""
        return self._spelled_in_answers if role == "assistant" else self._spelled

    def _render(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]] | None,
        options: dict[str, Any],
        *,
        begin_answer: bool,
        date: datetime | None = None,
    ) -> str:
        template = self._default if tools is None else self._with_tools
        if tools is not None and self._tools_in_message:
            messages, tools = _tools_in_system_message(messages, tools), None
        return template.render(messages, tools=tools, options=options, generation=begin_answer, date=date)

    def _encoded(self, text: str) -> tuple[int, ...]:
        """A rendered conversation, which holds all special tokens that the model wants."""
        return self._ids(text, add_special_tokens=False)

    def _plain_ids(self, text: str) -> tuple[int, ...]:
        """Plain text, with the token that begins every text if the model wants one, never twice."""
        plain = self._ids(text, add_special_tokens=False)
        first = self._backend.token_to_id(self._special.named.get("bos_token", ""))
        if first is None or self._special.add_bos is None:
            ids = self._ids(text, add_special_tokens=True)
        else:
            ids = (first, *plain) if self._special.add_bos else plain
        return plain if first is not None and plain[:1] == (first,) else ids

    def _ids(self, text: str, *, add_special_tokens: bool) -> tuple[int, ...]:
        try:
            ids = self._backend.encode(text, add_special_tokens=add_special_tokens).ids
        except Exception as error:  # the library raises plain exceptions, also for halves of surrogate pairs
            raise InvalidRequestError(
                f"The text cannot be turned into tokens of {self._folder.model_id}: {_first_line(error)}."
            ) from error
        return tuple(number for number in ids if number != self._mark)

    # -------------------------------------------------------------------------------------------------- answers

    def token_bytes(self, token: int) -> bytes:
        """What one token adds to a text; those of an answer, one after another, are its text in UTF-8."""
        behind = str(self._backend.decode([*self._before, token], skip_special_tokens=False))
        text = behind.removeprefix(self._text_before)
        broken = broken_bytes(self._backend.id_to_token(token) or "") if "\ufffd" in text else None
        return text.encode() if broken is None else broken

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens but those that mark the answer's parts; bytes that are no whole character become
        U+FFFD."""
        shown = [number for number in ids if number not in self._hidden]
        return str(self._backend.decode(shown, skip_special_tokens=False))

    # -------------------------------------------------------------------------------------------------- loading

    def _compiled(self, source: str | None, today: Callable[[], datetime]) -> ChatTemplate:
        path = self._folder.tokenizer_path
        if source is None:
            raise ModelFolderError(say("folder.no_template", path=str(path)))
        try:
            return ChatTemplate(source, self._special.named, today, time.thread_time)
        except TemplateError as error:
            raise ModelFolderError(say("folder.template_broken", path=str(path), reason=str(error))) from error

    def _probe(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        try:
            return self._render(messages, tools, {}, begin_answer=False)
        except TemplateError:
            return ""

    def _plain_conversation(self) -> str:
        """A question and its answer as the template writes them; "" if it refuses them."""
        question = {"role": "user", "content": "question"}
        try:
            return self._render([question, {"role": "assistant", "content": _TURN}], None, {}, begin_answer=False)
        except TemplateError:
            return ""

    def _find_ends(self, conversation: str) -> frozenset[int]:
        """The tokenizer's own end token, and the special token that the template writes behind an answer."""
        ends = {self._backend.token_to_id(self._special.named.get("eos_token", ""))}
        behind = conversation.rpartition(_TURN)[2].lstrip()
        ends |= {number for number in self._encoded(behind)[:1] if number in self._specials}
        return frozenset(number for number in ends if number is not None)

    def _written_by_templates(self, conversation: str, added: dict[int, str]) -> frozenset[str]:
        """The tokens that give a conversation its order: the special ones, and others (DeepSeek's are none) that the
        template writes around the simplest messages. Blanks are text for everybody."""
        found = self._specials | (set(self._encoded(conversation)) & added.keys())
        return frozenset(added[number] for number in found if added[number].replace("\u2581", " ").strip())


def _tools_in_system_message(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = json.dumps([tool.get("function", tool) for tool in tools], ensure_ascii=False)
    if messages and messages[0]["role"] == "system":
        return [{**messages[0], "tools": text}, *messages[1:]]
    return [{"role": "system", "content": "", "tools": text}, *messages]


def _load_backend(folder: ModelFolder) -> Any:
    """tokenizer.json as it stands, whose digest is announced."""
    from tokenizers import Tokenizer

    path = folder.tokenizer_path / "tokenizer.json"
    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain exceptions
        raise ModelFolderError(say("load.tokenizer", path=str(path), problem=_first_line(error))) from error
    backend.no_truncation()
    backend.no_padding()
    size = backend.get_vocab_size()
    if size > folder.vocabulary:
        raise ModelFolderError(say("folder.tokenizer_beyond", path=str(path), tokens=size, expected=folder.vocabulary))
    if folder.end_ids and all(backend.id_to_token(number) is None for number in folder.end_ids):
        ends = ", ".join(map(str, sorted(folder.end_ids)[:4]))
        raise ModelFolderError(say("folder.tokenizer_ends", path=str(path), tokens=ends))
    return backend


def _add_mark(backend: Any) -> int:
    """Make the mark of spelled tokens a token, in this process alone; its number, which no prompt holds."""
    from tokenizers import AddedToken

    backend.add_tokens([AddedToken(MARK, normalized=False)])
    return int(backend.token_to_id(MARK))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__
