"""What a client asks about the chats that the engine keeps.

Ids (of chats, messages, folders, presets, attachments) are chosen by the client, or by the engine where they are left
empty, so that a request that is sent again after a lost connection does nothing twice.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from engine.api.schema.base import ControlRequest, ModelName, Whole
from engine.api.schema.chat_values import (
    MAX_ATTACHMENTS,
    MAX_QUESTION,
    ChatSettings,
    Count,
    Folder,
    Id,
    LongText,
    OptionalId,
    Overflow,
    Preset,
    Title,
)


class ChatsRequest(ControlRequest, frozen=True, kw_only=True):
    """Base of requests about stored chats. Each has one reply with its ``ref``: the event that its description names,
    or ``RequestFailed``."""

    ref: Annotated[str, Meta(max_length=64)] = ""


class ListChats(ChatsRequest, frozen=True, kw_only=True, tag="list_chats"):
    """The newest chats, of one ``folder`` or of all (None); ``before``: those with less ``activity`` (0: from the
    newest). Answered by ``ChatList``; with ``watch`` changes of the list are told from now on."""

    folder: OptionalId | None = None
    before: Whole = 0
    limit: Count = 100
    watch: bool = True


class SearchChats(ChatsRequest, frozen=True, kw_only=True, tag="search_chats"):
    """Chats and messages that have all the words, whose last letters may be missing; words in double quotes stand next
    to each other. Capitals and accents do not matter. With a ``chat`` only its messages, as they were written.
    Answered by ``ChatsFound``."""

    query: Annotated[str, Meta(max_length=500)]
    chat: OptionalId = ""
    limit: Annotated[int, Meta(ge=1, le=50)] = 20
    offset: Annotated[int, Meta(ge=0, le=10_000)] = 0


class CreateChat(ChatsRequest, frozen=True, kw_only=True, tag="create_chat"):
    """A new chat. ``temporary``: it is never written to the disk and is gone ten minutes after no client has it open.
    Without a title it takes one from its first question, without ``settings`` they are those of the preset
    :data:`DEFAULT_PRESET`. Answered by ``Accepted``; creating one that exists is done."""

    chat: OptionalId = ""
    title: Title = ""
    folder: OptionalId = ""
    temporary: bool = False
    settings: ChatSettings | UnsetType = UNSET


class OpenChat(ChatsRequest, frozen=True, kw_only=True, tag="open_chat"):
    """The chat with the newest ``limit`` messages of its branch, answered by ``ChatOpened``; what happens in it is told
    from now on. With a ``message`` that is there: the branch on which that one lies, and the messages around it."""

    chat: Id
    limit: Count = 50
    message: OptionalId = ""


class CloseChat(ChatsRequest, frozen=True, kw_only=True, tag="close_chat"):
    """Tell nothing of this chat any more. Answers go on. Answered by ``Accepted``."""

    chat: Id


class GetMessages(ChatsRequest, frozen=True, kw_only=True, tag="get_messages"):
    """Up to ``limit`` messages of the branch that come after the message ``after``, or else before the message
    ``before`` ("": the newest). Answered by ``MessagePage``."""

    chat: Id
    before: OptionalId = ""
    after: OptionalId = ""
    limit: Count = 50


class GetText(ChatsRequest, frozen=True, kw_only=True, tag="get_text"):
    """A piece of a long text, from character ``at`` on. ``part`` "attachment" needs ``attachment`` (and no ``message``
    while it belongs to the draft). Answered by ``TextPiece``."""

    chat: Id
    message: OptionalId = ""
    part: Literal["text", "reasoning", "receipt", "attachment", "draft"] = "text"
    attachment: OptionalId = ""
    at: Whole = 0


class UpdateChat(ChatsRequest, frozen=True, kw_only=True, tag="update_chat"):
    """Rename, move or set up a chat; what is left out stays. ``preset``: its settings are copied into the chat's (after
    ``settings``). Answered by ``Accepted``."""

    chat: Id
    title: Title | UnsetType = UNSET
    folder: OptionalId | UnsetType = UNSET
    settings: ChatSettings | UnsetType = UNSET
    preset: Id | UnsetType = UNSET


class SaveDraft(ChatsRequest, frozen=True, kw_only=True, tag="save_draft"):
    """Keep what is being written: the next question or, with the name of a ``message``, another wording of that one,
    of :data:`MAX_PIECE` characters. Answered by ``Accepted``."""

    chat: Id
    text: LongText
    message: OptionalId = ""


class AddAttachment(ChatsRequest, frozen=True, kw_only=True, tag="add_attachment"):
    """A piece of a text file for the draft, from character ``at`` on: pieces of one ``attachment`` come in order over
    one connection, the last one without ``more``. Answered by ``Accepted``; it belongs to the draft once its last piece
    was accepted."""

    chat: Id
    attachment: Id
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    text: LongText
    at: Annotated[int, Meta(ge=0, le=MAX_QUESTION)] = 0
    more: bool = False


class RemoveAttachment(ChatsRequest, frozen=True, kw_only=True, tag="remove_attachment"):
    """Take a file out of the draft. Answered by ``Accepted``."""

    chat: Id
    attachment: Id


class SendMessage(ChatsRequest, frozen=True, kw_only=True, tag="send_message"):
    """Ask. ``attachments``: those of the draft that go with it, or of other questions of the chat, which are copied.
    ``after``: the message that it follows (None: the end of the branch, "": none, it is a first question); with the
    parent of another question it is a new version of that one. ``overflow`` None: as the chat's settings say.
    ``keep_draft``: this is not what was being written, which stays. The question is kept before it is asked.
    Answered by ``Accepted`` with ``message`` and ``answer``, or, where it does not fit, by ``ContextOverflow``; then
    the draft is kept. One answer at a time is written in a chat."""

    chat: Id
    text: LongText
    message: OptionalId = ""
    attachments: Annotated[tuple[Id, ...], Meta(max_length=MAX_ATTACHMENTS)] = ()
    after: OptionalId | None = None
    overflow: Overflow | None = None
    keep_draft: bool = False


class Regenerate(ChatsRequest, frozen=True, kw_only=True, tag="regenerate"):
    """Another answer to a question (``message`` is the question or one of its answers), by the chat's model or by
    ``model``; ``answer`` is an id for it. Answered as :class:`SendMessage`."""

    chat: Id
    message: Id
    answer: OptionalId = ""
    model: ModelName | None = None
    overflow: Overflow | None = None


class StopAnswer(ChatsRequest, frozen=True, kw_only=True, tag="stop_answer"):
    """Stop the answer that is being written; what has arrived is kept. Answered by ``Accepted``, also when none is."""

    chat: Id


class SelectBranch(ChatsRequest, frozen=True, kw_only=True, tag="select_branch"):
    """Show the branch on which ``message`` lies, up to its newest end; one that is shown already stays. Answered by
    ``BranchSelected`` with the messages around this one."""

    chat: Id
    message: Id
    limit: Count = 50


class GetContext(ChatsRequest, frozen=True, kw_only=True, tag="get_context"):
    """How full the context would be with the branch, the draft's attachments and ``text``. Answered by
    ``ContextState``."""

    chat: Id
    text: LongText = ""


class DeleteChats(ChatsRequest, frozen=True, kw_only=True, tag="delete_chats"):
    """Delete chats; for five minutes, and while the engine runs, :class:`RestoreChats` brings them back. Temporary ones
    are gone at once. Answered by ``Accepted``."""

    chats: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=500)]


class RestoreChats(ChatsRequest, frozen=True, kw_only=True, tag="restore_chats"):
    """Undo a deletion. Answered by ``Accepted``, or ``RequestFailed`` with code "chat_not_found" when it is too
    late."""

    chats: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=500)]


class DeleteMessage(ChatsRequest, frozen=True, kw_only=True, tag="delete_message"):
    """Delete a message with all that follows it, on every branch; an answer that is being written there is stopped. The
    version beside it is shown, or what stands before it. For five minutes, and while the engine runs,
    :class:`RestoreMessages` brings it back. Answered by ``MessagesRemoved``."""

    chat: Id
    message: Id


class RestoreMessages(ChatsRequest, frozen=True, kw_only=True, tag="restore_messages"):
    """Undo a :class:`DeleteMessage`: what ``MessagesRemoved`` has named ``removed`` is there again, and shows. Answered
    by ``Accepted``, or ``RequestFailed`` with code "chat_not_found" when it is too late."""

    chat: Id
    removed: Id


class SaveFolder(ChatsRequest, frozen=True, kw_only=True, tag="save_folder"):
    """Make or rename a folder. Answered by ``Accepted``. One that is made anew with the id of a deleted one has that
    one's chats again."""

    folder: Folder


class DeleteFolder(ChatsRequest, frozen=True, kw_only=True, tag="delete_folder"):
    """Delete a folder, not its chats. Answered by ``Accepted``."""

    folder: Id


class SavePreset(ChatsRequest, frozen=True, kw_only=True, tag="save_preset"):
    """Make or change a preset; chats that were set up by it stay as they are. Answered by ``Accepted``."""

    preset: Preset


class DeletePreset(ChatsRequest, frozen=True, kw_only=True, tag="delete_preset"):
    """Delete a preset. Answered by ``Accepted``."""

    preset: Id


class ExportChat(ChatsRequest, frozen=True, kw_only=True, tag="export_chat"):
    """The whole chat as text for a file, answered by ``ExportPiece`` until one is the ``last``. Markdown has the branch
    that is shown; JSON has all branches, details and receipts."""

    chat: Id
    format: Literal["markdown", "json"] = "markdown"


class DeleteEverything(ChatsRequest, frozen=True, kw_only=True, tag="delete_everything"):
    """Stop all answers and delete all chats with drafts and receipts, folders, presets, and what was kept of damaged
    databases, without undo. ``keys``: also the keys of this machine and what it knows of its networks; the engine ends,
    and the next one is another machine for everybody. Answered by ``Accepted``."""

    confirm: Literal["delete all my data"]
    keys: bool = False


AnyChatsRequest = (
    ListChats
    | SearchChats
    | CreateChat
    | OpenChat
    | CloseChat
    | GetMessages
    | GetText
    | UpdateChat
    | SaveDraft
    | AddAttachment
    | RemoveAttachment
    | SendMessage
    | Regenerate
    | StopAnswer
    | SelectBranch
    | GetContext
    | DeleteChats
    | RestoreChats
    | DeleteMessage
    | RestoreMessages
    | SaveFolder
    | DeleteFolder
    | SavePreset
    | DeletePreset
    | ExportChat
    | DeleteEverything
)

__all__ = [
    "AddAttachment",
    "AnyChatsRequest",
    "ChatsRequest",
    "CloseChat",
    "CreateChat",
    "DeleteChats",
    "DeleteEverything",
    "DeleteFolder",
    "DeleteMessage",
    "DeletePreset",
    "ExportChat",
    "GetContext",
    "GetMessages",
    "GetText",
    "ListChats",
    "OpenChat",
    "Regenerate",
    "RemoveAttachment",
    "RestoreChats",
    "RestoreMessages",
    "SaveDraft",
    "SaveFolder",
    "SavePreset",
    "SearchChats",
    "SelectBranch",
    "SendMessage",
    "StopAnswer",
    "UpdateChat",
]
