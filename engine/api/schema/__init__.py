"""The messages of the control WebSocket, ``ws://127.0.0.1:PORT/control/v1``: one JSON object per text message.

The client opens the socket with ``Authorization: Bearer <control token of the lock file>`` and says :class:`Hello`
first; the engine answers :class:`Welcome` and :class:`State`, then events as they happen. ``State`` comes again at
every change (only the newest counts, a slow reader misses older ones). An answer is ``ChatStage*``, ``ChatDelta*``,
then exactly one of ``ChatDone`` and ``ChatFailed``, each with the ``id`` that the client chose. Closing the socket
stops its answers, not the engine. A client must ignore fields and event types it does not know.

``Chat`` is for those who keep the conversation themselves; nothing of it is stored. Chats that the engine keeps, whose
answers go on whoever is connected, are in ``chats`` (requests) and ``chat_events``; models that could be downloaded
in ``library``. Each area names in its ``__all__`` what it has for others, and all of that is here: add a message to its
area, and to what the area calls ``Any…`` or to :data:`Request` or :data:`Event`.

Nothing but msgspec and pure modules of ours is imported, so that a window or a script can import this for nothing.
"""

from __future__ import annotations

import msgspec
from msgspec import Meta, Struct

from engine.api.schema.base import (
    ChatId,
    ControlEvent,
    ControlRequest,
    MachineStanding,
    ModelName,
    Privacy,
    PrivacyChoice,
    RequestFailed,
    Route,
    SamplingChoice,
    WeakerChoice,
    Worded,
)
from engine.api.schema.catalogue import (
    AnyCatalogueEvent,
    AnyCatalogueRequest,
    Catalogue,
    CatalogueChanged,
    CatalogueModel,
    GetCatalogue,
    GetModelDetails,
    HubModel,
    HubResults,
    ImportEnded,
    ImportModel,
    ImportProgress,
    ModelDetails,
    ModelFile,
    ModelFit,
    ModelRemoved,
    RemoveModel,
    Room,
    SearchHub,
    StopImport,
)
from engine.api.schema.chat_events import (
    Accepted,
    AnswerDelta,
    AnswerStage,
    AnyChatsEvent,
    BranchSelected,
    ChatChanged,
    ChatHit,
    ChatList,
    ChatOpened,
    ChatsFound,
    ChatsRemoved,
    ContextOverflow,
    ContextState,
    DraftChanged,
    ExportPiece,
    FoldersChanged,
    MessageChanged,
    MessagePage,
    MessagesRemoved,
    MessagesRestored,
    PresetsChanged,
    SavingState,
    TextPiece,
)
from engine.api.schema.chats import (
    CONFIRM_DELETION,
    DEFAULT_PRESET,
    MAX_ATTACHMENTS,
    MAX_EDITS,
    MAX_PAGE,
    MAX_PIECE,
    MAX_QUESTION,
    MAX_TEXT,
    AddAttachment,
    AnswerDetails,
    AnswerProblem,
    AnyChatsRequest,
    Attachment,
    ChatEntry,
    ChatSettings,
    ChatsRequest,
    CloseChat,
    Count,
    CreateChat,
    DeleteChats,
    DeleteEverything,
    DeleteFolder,
    DeleteMessage,
    DeletePreset,
    Draft,
    Edit,
    ExportChat,
    Folder,
    GetContext,
    GetMessages,
    GetText,
    Id,
    ListChats,
    LongText,
    MessageState,
    OpenChat,
    OptionalId,
    Overflow,
    Preset,
    Regenerate,
    RemoveAttachment,
    RestoreChats,
    RestoreMessages,
    SaveDraft,
    SaveFolder,
    SavePreset,
    SearchChats,
    SelectBranch,
    SendMessage,
    StopAnswer,
    StoredMessage,
    Title,
    UpdateChat,
)
from engine.api.schema.contribution import (
    ALL_DAY,
    MOST_DEVICES,
    MOST_EVENTS,
    MOST_PROGRAMS,
    AnyContributionEvent,
    AnyContributionRequest,
    Contribution,
    ContributionRequest,
    ContributionSample,
    Device,
    DeviceRules,
    DeviceSample,
    GetContribution,
    GetEvents,
    Missing,
    OwnerEvent,
    OwnerEvents,
    PauseContributing,
    ResumeContributing,
    Rules,
    SetRules,
    Totals,
    WatchContribution,
)
from engine.api.schema.diagnostics import Diagnostics, GetDiagnostics
from engine.api.schema.engine_control import JoinNetwork, LeaveNetwork, NetworkKept, Shutdown
from engine.api.schema.hosting import (
    AnyHostingEvent,
    AnyHostingRequest,
    GetHosting,
    HostedInvitation,
    Hosting,
    HostNetwork,
    InvitationMade,
    MakeInvitation,
    NetworkRequest,
    Reach,
    RevokeInvitation,
    StopHosting,
)
from engine.api.schema.library import (
    AnyLibraryEvent,
    AnyLibraryRequest,
    ConfirmModel,
    DiscardDownload,
    DiskUse,
    DownloadEnded,
    DownloadModel,
    DownloadProgress,
    GetDiskUse,
    Library,
    LibraryModel,
    LibraryRequest,
    ListLibrary,
    ListPublishers,
    ModelUse,
    Publishers,
    PublisherState,
    StopDownload,
    TrustPublisher,
    Verdict,
)
from engine.api.schema.network import (
    MOST_LINKS,
    MOST_MEMBERS,
    MOST_PATHS,
    TOPOLOGY_SECONDS,
    AnyNetworkEvent,
    AnyNetworkRequest,
    GroupMember,
    OwnLink,
    OwnPath,
    Topology,
    WatchTopology,
)

CONTROL_VERSION = 1
"""Version of these messages; also in the path."""
CONTROL_PATH = "/control/v1"
MAX_CONTROL_MESSAGE = 1_048_576
"""Bytes of one message to the engine."""
MAX_CONTROL_EVENT = 4_194_304
"""Bytes of one message from the engine (one with a receipt may be long)."""
UNSENT_NAME = "chats-unsent.json"
"""File of the data directory in which a window keeps what no engine has taken yet."""
CLOSE_REFUSED = 4000
"""WebSocket close code: the first message was no acceptable Hello."""
CLOSE_TOO_SLOW = 4001
"""WebSocket close code: the client did not read its events in time."""
CLOSE_STOPPING = 4002
"""WebSocket close code: the engine stops."""


class EngineAddress(Struct, frozen=True, kw_only=True):
    """Content of the lock file of a data directory (JSON, 0600): where the running engine is and how to talk to it."""

    pid: int
    port: int
    control_token: str
    started: float  # seconds since 1970


# ------------------------------------------------------------------------------------------------ client to engine


class Hello(ControlRequest, frozen=True, kw_only=True, tag="hello"):
    """The first message. ``client`` names the program, for the log."""

    version: int
    client: Annotated[str, Meta(max_length=100)] = ""


class ChatText(Struct, frozen=True):
    """One message of a conversation."""

    role: Literal[system, user, assistant]
    content: Annotated[str, Meta(max_length=800_000)]


class Chat(ControlRequest, frozen=True, kw_only=True, tag="chat"):
    """Answer the last of ``messages``. ``conversation`` names the chat, so that its paths and its cache are kept from
    one turn to the next; empty: the engine recognises a chat by its earlier messages."""

    id: ChatId
    model: ModelName
    messages: Annotated[tuple[ChatText, ...], Meta(min_length=1, max_length=2048)]
    conversation: Annotated[str, Meta(max_length=64)] = ""
    sampling: SamplingChoice = SamplingChoice()
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    min_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...], Meta(max_length=16)] = ()
    route: Route = "auto"
    may_forward: bool = True
    public_messages: Annotated[int, Meta(ge=0, le=2048)] = 0
    public_characters: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    privacy: PrivacyChoice | None = None  # None: what the owner's settings accept


class StopChat(ControlRequest, frozen=True, kw_only=True, tag="stop_chat"):
    """Stop an answer; it ends with ``ChatFailed`` of code "cancelled". An unknown id is ignored; it may be done."""

    id: ChatId


class SetContributing(ControlRequest, frozen=True, kw_only=True, tag="set_contributing"):
    """Turn answering of other people's questions on or off. A ``State`` follows, or ``RequestFailed``."""

    on: bool


class GetState(ControlRequest, frozen=True, kw_only=True, tag="get_state"):
    """Send ``State`` now."""


from engine.api.schema.base import *
from engine.api.schema.catalogue import *
from engine.api.schema.chat import *
from engine.api.schema.chat_events import *
from engine.api.schema.chat_values import *
from engine.api.schema.chats import *
from engine.api.schema.connection import *
from engine.api.schema.contribution import *
from engine.api.schema.diagnostics import *
from engine.api.schema.engine_control import *
from engine.api.schema.library import *
from engine.api.schema.network import *
from engine.api.schema.state import *

Request = (
    Hello
    | Chat
    | StopChat
    | SetContributing
    | GetState
    | JoinNetwork
    | LeaveNetwork
    | Shutdown
    | GetDiagnostics
    | AnyChatsRequest
    | AnyContributionRequest
    | AnyCatalogueRequest
    | AnyLibraryRequest
    | AnyNetworkRequest
    | AnyHostingRequest
)

Event = (
    Welcome
    | State
    | ChatStage
    | ChatDelta
    | ChatDone
    | ChatFailed
    | NetworkKept
    | Diagnostics
    | RequestFailed
    | AnyChatsEvent
    | AnyContributionEvent
    | AnyCatalogueEvent
    | AnyLibraryEvent
    | AnyNetworkEvent
    | AnyHostingEvent
)

request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
address_decoder: msgspec.json.Decoder[EngineAddress] = msgspec.json.Decoder(EngineAddress)
_encoder = msgspec.json.Encoder()


def encode(message: ControlRequest | ControlEvent | EngineAddress) -> str:
    """The JSON text of one message."""
    return _encoder.encode(message).decode("utf-8")


__all__ = [
    "ALL_DAY",
    "CLOSE_REFUSED",
    "CLOSE_STOPPING",
    "CLOSE_TOO_SLOW",
    "CONFIRM_DELETION",
    "CONTROL_PATH",
    "CONTROL_VERSION",
    "DEFAULT_PRESET",
    "MAX_ATTACHMENTS",
    "MAX_CONTROL_EVENT",
    "MAX_CONTROL_MESSAGE",
    "MAX_EDITS",
    "MAX_PAGE",
    "MAX_PIECE",
    "MAX_QUESTION",
    "MAX_TEXT",
    "MOST_DEVICES",
    "MOST_EVENTS",
    "MOST_LINKS",
    "MOST_MEMBERS",
    "MOST_PATHS",
    "MOST_PROGRAMS",
    "TOPOLOGY_SECONDS",
    "UNSENT_NAME",
    "Accepted",
    "AddAttachment",
    "AnswerDelta",
    "AnswerDetails",
    "AnswerProblem",
    "AnswerStage",
    "AnyCatalogueEvent",
    "AnyCatalogueRequest",
    "AnyChatsEvent",
    "AnyChatsRequest",
    "AnyContributionEvent",
    "AnyContributionRequest",
    "AnyLibraryEvent",
    "AnyLibraryRequest",
    "Attachment",
    "BranchSelected",
    "Catalogue",
    "CatalogueChanged",
    "CatalogueModel",
    "Chat",
    "ChatChanged",
    "ChatDelta",
    "ChatDone",
    "ChatEntry",
    "ChatFailed",
    "ChatHit",
    "ChatId",
    "ChatList",
    "ChatOpened",
    "ChatSettings",
    "ChatStage",
    "ChatText",
    "ChatsFound",
    "ChatsRemoved",
    "ChatsRequest",
    "CloseChat",
    "ConfirmModel",
    "ContextOverflow",
    "ContextState",
    "ContributingState",
    "Contribution",
    "ContributionRequest",
    "ContributionSample",
    "ControlEvent",
    "ControlRequest",
    "Count",
    "CreateChat",
    "DeleteChats",
    "DeleteEverything",
    "DeleteFolder",
    "DeleteMessage",
    "DeletePreset",
    "Device",
    "DeviceRules",
    "DeviceSample",
    "Diagnostics",
    "DiscardDownload",
    "DiskUse",
    "DownloadEnded",
    "DownloadModel",
    "DownloadProgress",
    "Draft",
    "DraftChanged",
    "Edit",
    "EngineAddress",
    "Event",
    "ExportChat",
    "ExportPiece",
    "Folder",
    "FoldersChanged",
    "GetCatalogue",
    "GetContext",
    "GetContribution",
    "GetDiagnostics",
    "GetDiskUse",
    "GetEvents",
    "GetHosting",
    "GetMessages",
    "GetModelDetails",
    "GetState",
    "GetText",
    "GroupMember",
    "Hello",
    "HostNetwork",
    "HostedInvitation",
    "Hosting",
    "HubModel",
    "HubResults",
    "Id",
    "ImportEnded",
    "ImportModel",
    "ImportProgress",
    "InvitationMade",
    "JoinNetwork",
    "LeaveNetwork",
    "Library",
    "LibraryModel",
    "LibraryRequest",
    "ListChats",
    "ListLibrary",
    "ListPublishers",
    "LongText",
    "MachineStanding",
    "MakeInvitation",
    "MessageChanged",
    "MessagePage",
    "MessageState",
    "MessagesRemoved",
    "MessagesRestored",
    "Missing",
    "ModelDetails",
    "ModelFile",
    "ModelFit",
    "ModelName",
    "ModelRemoved",
    "ModelState",
    "ModelUse",
    "NetworkKept",
    "NetworkRequest",
    "NetworkState",
    "OpenChat",
    "OptionalId",
    "Overflow",
    "OwnLink",
    "OwnPath",
    "OwnerEvent",
    "OwnerEvents",
    "PauseContributing",
    "Preset",
    "PresetsChanged",
    "Privacy",
    "PrivacyChoice",
    "PublisherState",
    "Publishers",
    "Reach",
    "Regenerate",
    "RelayState",
    "RemoveAttachment",
    "RemoveModel",
    "Request",
    "RequestFailed",
    "RestoreChats",
    "RestoreMessages",
    "ResumeContributing",
    "RevokeInvitation",
    "Room",
    "Route",
    "Rules",
    "SamplingChoice",
    "SaveDraft",
    "SaveFolder",
    "SavePreset",
    "SavingState",
    "SearchChats",
    "SearchHub",
    "SelectBranch",
    "SendMessage",
    "SetContributing",
    "SetRules",
    "Shutdown",
    "State",
    "StopAnswer",
    "StopChat",
    "StopDownload",
    "StopHosting",
    "StopImport",
    "StoredMessage",
    "TextPiece",
    "Title",
    "Topology",
    "Totals",
    "TrustPublisher",
    "UpdateChat",
    "Verdict",
    "WatchContribution",
    "WatchTopology",
    "WeakerChoice",
    "Welcome",
    "Worded",
    "WorkerState",
    "address_decoder",
    "encode",
    "event_decoder",
    "request_decoder",
]
