"""What the engine tells of the chats that it keeps: replies, and news for those who watch the list or have a chat
open."""

from __future__ import annotations

from msgspec import Struct

from engine.api.schema.base import ControlEvent, Worded
from engine.api.schema.chat_values import ChatEntry, ChatSettings, Draft, Folder, Preset, StoredMessage

# ----------------------------------------------------------------------------------------------------------- replies


class Accepted(ControlEvent, Worded, frozen=True, kw_only=True, tag="accepted"):
    """A request was done. ``saved`` False: only in memory, for the reason in ``problem``; it is saved as soon as that
    is mended. ``message`` and ``answer``: the ids of a question and of its answer, which follows."""

    ref: str
    request: str
    chat: str = ""
    message: str = ""
    answer: str = ""
    dropped: int = 0  # messages that were left out of what is asked
    saved: bool = True
    problem: str = ""


class ChatList(ControlEvent, frozen=True, kw_only=True, tag="chat_list"):
    """Chats, newest first; ``before`` asks for the next ones, 0: these were the last."""

    ref: str
    chats: tuple[ChatEntry, ...]
    before: int = 0
    folders: tuple[Folder, ...] = ()
    presets: tuple[Preset, ...] = ()


class ChatHit(Struct, frozen=True, kw_only=True):
    """A message, or a title (``message`` empty), that was found. ``marks``: where the words stand in ``snippet``, as
    first and last-but-one character."""

    chat: ChatEntry
    message: str = ""
    role: str = ""
    created: float = 0.0
    snippet: str = ""
    marks: tuple[tuple[int, int], ...] = ()


class ChatsFound(ControlEvent, frozen=True, kw_only=True, tag="chats_found"):
    """Titles first, then messages, the best first (of one chat: messages, the first one first);
    ``more``: there are further ones."""

    ref: str
    hits: tuple[ChatHit, ...]
    more: bool = False


class ContextState(ControlEvent, frozen=True, kw_only=True, tag="context"):
    """Tokens that the conversation takes of the model's context, with the draft and its files. ``limit`` 0: not known.
    ``room``: so many are kept free for the answer. ``exact`` False: estimated, as the model is not loaded here. Comes
    after ``get_context`` and, with an empty ``ref``, when it changes."""

    ref: str = ""
    chat: str
    model: str
    used: int
    limit: int
    left: int
    exact: bool
    room: int = 0


class ChatOpened(ControlEvent, frozen=True, kw_only=True, tag="chat_opened"):
    """A chat with messages of its branch, oldest first; ``earlier``: there are some before them, ``later``: some behind
    them."""

    ref: str
    chat: ChatEntry
    settings: ChatSettings
    messages: tuple[StoredMessage, ...]
    earlier: bool
    later: bool = False
    draft: Draft


class MessagePage(ControlEvent, frozen=True, kw_only=True, tag="message_page"):
    """Messages of the branch, oldest first; ``earlier``: there are some before them, ``later``: some behind them."""

    ref: str
    chat: str
    messages: tuple[StoredMessage, ...]
    earlier: bool
    later: bool = False


class TextPiece(ControlEvent, frozen=True, kw_only=True, tag="text_piece"):
    """A piece of a text of so many ``characters``, from character ``at`` on."""

    ref: str
    chat: str
    message: str
    at: int
    text: str
    characters: int


class ExportPiece(ControlEvent, frozen=True, kw_only=True, tag="export_piece"):
    """The next piece of an exported chat; ``name`` is a file name for it."""

    ref: str
    text: str
    last: bool
    name: str = ""


class ContextOverflow(ControlEvent, Worded, frozen=True, kw_only=True, tag="context_overflow"):
    """A question was not asked: with what was said before it takes ``used`` tokens and the answer needs some, and the
    model has ``limit``. ``droppable``: leaving out so many of the oldest messages would make it fit (send it again with
    ``overflow`` "drop_oldest"); 0: it does not fit even alone. ``text`` says it for people."""

    ref: str
    chat: str
    used: int
    limit: int
    droppable: int
    exact: bool
    text: str


# -------------------------------------------------------------------------------------------------------------- news


class ChatChanged(ControlEvent, frozen=True, kw_only=True, tag="chat_changed"):
    """A chat is new or another one, for those who watch the list; with its ``settings`` for those who have it open."""

    chat: ChatEntry
    settings: ChatSettings | None = None


class ChatsRemoved(ControlEvent, frozen=True, kw_only=True, tag="chats_removed"):
    """Chats were deleted; ``everything``: all of them."""

    chats: tuple[str, ...] = ()
    everything: bool = False


class MessagesRemoved(ControlEvent, frozen=True, kw_only=True, tag="messages_removed"):
    """The ``message`` was deleted and all that followed it, ``count`` in all; :class:`RestoreMessages` brings them back
    by the name ``removed``. Who shows the chat opens it anew."""

    ref: str = ""
    chat: str
    message: str
    removed: str
    count: int


class MessagesRestored(ControlEvent, frozen=True, kw_only=True, tag="messages_restored"):
    """The ``message`` is there again with all that followed it. Who shows the chat opens it anew."""

    chat: str
    message: str


class FoldersChanged(ControlEvent, frozen=True, kw_only=True, tag="folders_changed"):
    """All folders there are now."""

    folders: tuple[Folder, ...]


class PresetsChanged(ControlEvent, frozen=True, kw_only=True, tag="presets_changed"):
    """All presets there are now."""

    presets: tuple[Preset, ...]


class DraftChanged(ControlEvent, frozen=True, kw_only=True, tag="draft_changed"):
    """The draft of a chat is another one, by another client or because it was sent."""

    chat: str
    draft: Draft


class MessageChanged(ControlEvent, frozen=True, kw_only=True, tag="message_changed"):
    """A message is new (``added``; it is the end of the branch then) or has come to its end."""

    chat: str
    message: StoredMessage
    added: bool = False


class BranchSelected(ControlEvent, frozen=True, kw_only=True, tag="branch_selected"):
    """Another branch is shown, the one on which ``message`` lies: messages around that one."""

    ref: str = ""
    chat: str
    message: str
    messages: tuple[StoredMessage, ...]
    earlier: bool
    later: bool = False


class AnswerStage(ControlEvent, Worded, frozen=True, kw_only=True, tag="answer_stage"):
    """Why an answer has no text yet; as ``ChatStage``."""

    chat: str
    message: str
    stage: str
    text: str = ""
    place: int = 0
    estimate: float = 0.0


class AnswerDelta(ControlEvent, frozen=True, kw_only=True, tag="answer_delta"):
    """The next piece of an answer. ``at`` and ``reasoning_at``: characters that came before it. Who opens the chat in
    mid-answer gets what has come so far in ``ChatOpened`` and goes on from there."""

    chat: str
    message: str
    text: str
    tokens: int
    at: int = 0
    reasoning: str = ""
    reasoning_at: int = 0


class SavingState(ControlEvent, Worded, frozen=True, kw_only=True, tag="saving"):
    """``waiting`` things are in memory only, for the reason in ``problem``; empty and 0: all is on the disk."""

    problem: str = ""
    waiting: int = 0


AnyChatsEvent = (
    Accepted
    | ChatList
    | ChatsFound
    | ContextState
    | ChatOpened
    | MessagePage
    | TextPiece
    | ExportPiece
    | ContextOverflow
    | ChatChanged
    | ChatsRemoved
    | MessagesRemoved
    | MessagesRestored
    | FoldersChanged
    | PresetsChanged
    | DraftChanged
    | MessageChanged
    | BranchSelected
    | AnswerStage
    | AnswerDelta
    | SavingState
)

__all__ = [
    "Accepted",
    "AnswerDelta",
    "AnswerStage",
    "AnyChatsEvent",
    "BranchSelected",
    "ChatChanged",
    "ChatHit",
    "ChatList",
    "ChatOpened",
    "ChatsFound",
    "ChatsRemoved",
    "ContextOverflow",
    "ContextState",
    "DraftChanged",
    "ExportPiece",
    "FoldersChanged",
    "MessageChanged",
    "MessagePage",
    "MessagesRemoved",
    "MessagesRestored",
    "PresetsChanged",
    "SavingState",
    "TextPiece",
]
