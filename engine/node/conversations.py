"""Which chat a request continues, and which node answered it: bounded memory of what must not be asked anew."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.api.service import AnswerRequest
from engine.ids import NodeId
from engine.inference.types import PromptMessage

MAX_CONVERSATIONS = 512


@dataclass(slots=True)
class Conversation:
    """A chat: ``name`` names its paths and its private cache, ``node`` is pinned once it has
    answered, ``program_name`` is what its program calls it."""

    name: bytes
    node: NodeId | None = None
    program_name: str = ""


class Conversations:
    """Recognises a chat by the name that its program gives, else by its earlier messages."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._known: OrderedDict[bytes, Conversation] = OrderedDict()

    def find(self, request: AnswerRequest) -> Conversation:
        """The chat that this request continues, or a new one."""
        if request.conversation:
            key = _digest(request.model_id, [], request.conversation)
        else:
            earlier = _earlier(request.messages)
            if not earlier:
                return Conversation(self._random_bytes(16))  # a first question, however often it is asked
            key = _digest(request.model_id, earlier)
        found = self._known.get(key)
        if found is None:
            found = Conversation(self._random_bytes(16), program_name=request.conversation)
            if request.conversation:
                self._remember(key, found)
        else:
            self._known.move_to_end(key)
        return found

    def answered(self, request: AnswerRequest, conversation: Conversation, node: NodeId, answer: PromptMessage) -> None:
        """Remember who answered; the next turn carries this answer among its messages."""
        conversation.node = node
        if not request.conversation and request.messages:
            self._remember(_digest(request.model_id, [*request.messages, answer]), conversation)

    def names(self, program_name: str) -> frozenset[bytes]:
        """What the chat that its program calls so is called here, once for each model that was asked in it."""
        return frozenset(one.name for one in self._known.values() if program_name and one.program_name == program_name)

    def _remember(self, key: bytes, conversation: Conversation) -> None:
        self._known[key] = conversation
        self._known.move_to_end(key)
        while len(self._known) > MAX_CONVERSATIONS:
            self._known.popitem(last=False)


def _earlier(messages: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """Everything up to the last answer; what follows it (a question, results of tools) is new."""
    answers = [place for place, message in enumerate(messages) if message.role == "assistant"]
    return messages[: answers[-1] + 1] if answers else ()


def _digest(model_id: str, messages: Sequence[PromptMessage], name: str = "") -> bytes:
    """Reasoning and the ids of tool calls are left out: programs may not send them back."""
    state = hashlib.sha256()
    told = (text for message in messages for text in (message.role, message.content, *_calls(message)))
    for part in (model_id, name, *told):
        encoded = part.encode("utf-8", "surrogatepass")
        state.update(len(encoded).to_bytes(8, "big") + encoded)
    return state.digest()


def _calls(message: PromptMessage) -> Iterator[str]:
    for call in json.loads(message.tool_calls) if message.tool_calls else ():
        function = call["function"]
        arguments = function.get("arguments", "")
        yield from ("call", function["name"], arguments if isinstance(arguments, str) else json.dumps(arguments))
