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

from engine.api.schema.base import *
from engine.api.schema.catalogue import *
from engine.api.schema.chat import *
from engine.api.schema.chat_events import *
from engine.api.schema.chat_values import *
from engine.api.schema.chats import *
from engine.api.schema.connection import *
from engine.api.schema.contribution import *
from engine.api.schema.diagnostics import *
from engine.api.schema.doctor import *
from engine.api.schema.engine_control import *
from engine.api.schema.hosting import *
from engine.api.schema.library import *
from engine.api.schema.network import *
from engine.api.schema.samples import *
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
    | AnyDoctorRequest
    | AnySamplesRequest
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
    | AnyDoctorEvent
    | AnySamplesEvent
)

request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
address_decoder: msgspec.json.Decoder[EngineAddress] = msgspec.json.Decoder(EngineAddress)
_encoder = msgspec.json.Encoder()


def encode(message: ControlRequest | ControlEvent | EngineAddress) -> str:
    """The JSON text of one message."""
    return _encoder.encode(message).decode("utf-8")
