"""The messages of the control WebSocket, ``ws://127.0.0.1:PORT/control/v1``: one JSON object per text message.

The client opens the socket with ``Authorization: Bearer <control token of the lock file>`` and says :class:`Hello`
first; the engine answers :class:`Welcome` and :class:`State`, then events as they happen. ``State`` comes again at
every change (only the newest counts, a slow reader misses older ones). An answer is ``ChatStage*``, ``ChatDelta*``,
then exactly one of ``ChatDone`` and ``ChatFailed``, each with the ``id`` that the client chose. Closing the socket
stops its answers, not the engine. A client must ignore fields and event types it does not know.

``Chat`` is for those who keep the conversation themselves; nothing of it is stored. Chats that the engine keeps, whose
answers go on whoever is connected, are in ``chats`` (requests) and ``chat_events``; models that could be downloaded
in ``library``.

This module imports msgspec and typing alone, so that a window or a script can import it for nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

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

    role: Literal["system", "user", "assistant"]
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
)

# ------------------------------------------------------------------------------------------------ engine to client


class Welcome(ControlEvent, frozen=True, kw_only=True, tag="welcome"):
    """The Hello was accepted."""

    version: int
    engine_version: str


class NetworkState(Worded, frozen=True, kw_only=True):
    """``reason`` says in plain words why ``status`` is what it is and what can be done.

    "none": no network is configured; "joining": on the way; "ready": questions can be asked; "weak": ready with fewer
    paths or relays than the network wants; "offline": configured, but the bootstrap server or the relays are away.
    """

    status: Literal["none", "joining", "ready", "weak", "offline"]
    reason: str = ""
    name: str = ""
    network_id: str = ""  # hex
    bootstrap: str = ""
    bootstrap_connected: bool = False
    bootstrap_others: tuple[str, ...] = ()
    """Further servers of the network, which are used while the first does not answer."""
    nodes: int = 0  # listed in the directory
    relays: int = 0
    links: int = 0
    links_relayed: int = 0  # of them: through a TURN server
    relayed_only: bool = False  # the owner wants no others
    turn_server: str = ""  # address of the one in use; "" for none
    nat: str = ""  # none, endpoint-independent, endpoint-dependent, unknown; "" before it was looked
    udp_blocked: bool = False
    paths: int = 0  # ready to carry a question
    paths_wanted: int = 0
    hops_wanted: int = 0  # relays on each path that questions get now; 0: none, they go directly
    weaker: bool = False  # fewer paths or relays than the network wants, as the owner's settings accept
    direct: bool = False  # questions go without relays
    relays_missing: int = 0  # for what the network wants
    choices: tuple[WeakerChoice, ...] = ()  # what can be chosen meanwhile


class ContributingState(Worded, frozen=True, kw_only=True):
    """``on`` is the owner's switch; ``status`` is what happens."""

    on: bool
    status: Literal["off", "starting", "on", "paused", "draining", "failed"]
    reason: str = ""
    model: str = ""
    answering: int = 0  # other people's answers running now
    answered: int = 0  # since the start
    tokens: int = 0  # written for others since the start
    until: float = 0.0  # "paused": seconds since 1970 at which it ends; 0: not known
    tokens_today: int = 0  # the same since midnight, by this machine's clock, whatever was started anew meanwhile
    receipts_waiting: int = 0  # epochs whose receipts the server has not got yet
    receipts_confirmed: int = 0  # those that it has confirmed, of the last two days
    receipts_problem: str = ""  # why some cannot be written down or brought now


class RelayState(Worded, frozen=True, kw_only=True):
    """Whether this engine passes other people's cells, and how many circuits run through it. ``reason``: why it is not
    listed for that yet; ``refused``: that will not mend itself, as the bootstrap server does not admit it."""

    on: bool
    reason: str = ""
    circuits: int = 0
    refused: bool = False


class WorkerState(Worded, frozen=True, kw_only=True):
    """The inference worker process. "stopped" is normal while nothing needs it."""

    status: Literal["stopped", "starting", "ready", "restarting", "failed"]
    reason: str = ""
    pid: int = 0
    restarts: int = 0


class ModelState(Worded, frozen=True, kw_only=True):
    """A model that can be asked. ``nodes`` counts the others that serve it. ``provider``: ONNX Runtime's execution
    provider that this machine's worker really has, "" while the model is not loaded here; ``provider_reason``: why this
    one, in plain words. ``sampling``: what kept chats use that choose nothing else. ``publisher``, ``fingerprint`` and
    ``reviewed``: as in ``LibraryModel``; a model that is not ``confirmed`` is not asked before ``ConfirmModel``."""

    id: str
    where: Literal["local", "network", "both"]
    nodes: int = 0
    context_length: int = 0
    wait: float = 0.0  # estimated seconds to the first token; 0 when unknown
    tokens_per_s: float = 0.0
    provider: str = ""
    provider_reason: str = ""
    sampling: SamplingChoice = SamplingChoice()
    publisher: str = ""
    fingerprint: str = ""
    reviewed: bool = True
    confirmed: bool = True


class State(ControlEvent, Worded, frozen=True, kw_only=True, tag="state"):
    """Everything that a window shows about the engine."""

    engine_version: str
    api_address: str  # "http://127.0.0.1:8765/v1"
    data_directory: str
    started: float  # seconds since 1970
    network: NetworkState
    contributing: ContributingState
    relay: RelayState
    worker: WorkerState
    models: tuple[ModelState, ...] = ()
    node_id: str = ""
    key_storage: str = ""  # "keyring", "encrypted file" or "plain file"
    warnings: tuple[str, ...] = ()
    stopping: bool = False  # it stops as soon as no answer to its owner is being made


class ChatStage(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_stage"):
    """Why there is no text yet: ``stage`` is "connecting", "sending", "queued", "prefill", "decode", "thinking",
    "finishing" or another short word; ``text`` says it in plain words."""

    id: ChatId
    stage: str
    text: str = ""
    place: int = 0
    estimate: float = 0.0  # seconds to the first token; 0 when unknown


class ChatDelta(ControlEvent, frozen=True, kw_only=True, tag="chat_delta"):
    """The next piece of the answer, and of what the model thinks before it (``reasoning``). Pieces may be joined on the
    way when the reader is slow."""

    id: ChatId
    text: str
    tokens: int
    reasoning: str = ""


class ChatDone(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_done"):
    """The answer is complete.

    ``badge``: "local", "signed" (receipt checked), "verified" (and the node has passed the committee lately) or
    "unverified"; ``badge_reason`` says why. ``paths`` are the relay ids of the paths that carried it, from here to the
    serving node; empty when local. ``receipt`` is the export for a file, as JSON text; empty when there is none.
    """

    id: ChatId
    finish_reason: Literal["stop", "length"]
    model: str
    prompt_tokens: int
    completion_tokens: int
    served_by: str  # node id, or "local"
    seed: int
    badge: Literal["local", "signed", "verified", "unverified"]
    badge_reason: str = ""
    paths: tuple[tuple[str, ...], ...] = ()
    n: int = 0
    k: int = 0
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    receipt: str = ""
    privacy: Privacy | None = None  # None: answered on this machine
    machines: tuple[str, ...] = ()  # every one that made a part of it, in order; ``served_by`` is the last

    standings: tuple[MachineStanding, ...] = ()  # of ``machines``, where the network has a committee
    asked: tuple[str, ...] = ()  # whom the question was sent to, in order: they could read it, too


class ChatFailed(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_failed"):
    """The answer ended early. ``code`` as in ``engine.errors`` ("cancelled", "serving_node_lost", …); ``text`` says
    what happened, what it means and what to do. What was delivered stays valid."""

    id: ChatId
    code: str
    text: str
    choices: tuple[WeakerChoice, ...] = ()  # with code "too_few_relays": what can be chosen to be answered now


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
    "GetMessages",
    "GetModelDetails",
    "GetState",
    "GetText",
    "GroupMember",
    "Hello",
    "HubModel",
    "HubResults",
    "Id",
    "ImportEnded",
    "ImportModel",
    "ImportProgress",
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
    "Regenerate",
    "RelayState",
    "RemoveAttachment",
    "RemoveModel",
    "Request",
    "RequestFailed",
    "RestoreChats",
    "RestoreMessages",
    "ResumeContributing",
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
