"""Every error that the engine raises on purpose.

    GenTorrentError
    ├── ConfigurationError            a setting, option or environment variable is wrong
    ├── WireError                     bytes from a peer are not a message of this protocol
    ├── CryptoError                   a key, signature or seal does not check out
    │   ├── SignatureError
    │   └── SealError
    ├── DirectoryError                a descriptor, snapshot or genesis file is refused
    ├── ManifestError                 what a publisher says of a model is refused
    ├── TransportError                links and signaling
    │   ├── LinkError                 one link: closed, timed out, refused
    │   └── BootstrapUnreachableError the bootstrap server does not answer
    ├── LoginRefusedError             the bootstrap server refused this node, with its reason
    ├── PathError                     anonymous paths
    │   ├── PathSetupError            one set-up failed, at a known hop
    │   └── TooFewRelaysError         the network is too small for the paths that its genesis asks for
    ├── RequestError                  a request for an answer cannot be served; shown to the user
    │   ├── InvalidRequestError       the request itself is wrong (HTTP 400)
    │   ├── UnknownModelError         nobody serves this model (HTTP 404)
    │   ├── UnreviewedModelError      it has to be confirmed before it is asked for the first time (HTTP 403)
    │   ├── LicenceNeededError        its licence has to be accepted, or accepted anew (HTTP 403)
    │   ├── UntrustedPublisherError   whoever published it is not one whose models are served here (HTTP 403)
    │   ├── ContextLengthError        prompt and answer do not fit the model's context (HTTP 400)
    │   ├── OverloadedError           too much work at the moment (HTTP 503)
    │   ├── NetworkNotReadyError      still joining, or paths are not built yet (HTTP 503)
    │   │   └── WeakerPathsNeededError    too few relays; names what can be chosen besides waiting
    │   ├── ServingNodeLostError      the serving node went away in mid-answer (HTTP 502)
    │   │   └── ServingNodeLeavingError   it said so before
    │   ├── AnswerCancelledError      the client itself cancelled
    │   ├── StoppedError              the owner has stopped what was being done
    │   ├── ChatNotFoundError         there is no such chat, or message in it
    │   └── ChatBusyError             an answer is being written in this chat
    ├── InferenceError                the inference engine
    │   ├── ModelFolderError          a model folder lacks or contradicts something
    │   ├── ProviderFailedError       the execution provider itself failed: a GPU out of memory, a device lost
    │   │   ├── NoRoomError               a model does not fit into what may be used of a device
    │   │   └── DeviceBarredError         a device may not be used any more
    │   ├── RemoteServerError         another program that makes the answers cannot be reached or broke the protocol
    │   └── WorkerDiedError           the worker process ended; it is being restarted
    ├── HubError                      the model hub refuses, or is not to be trusted
    │   ├── HubUnreachableError       it cannot be reached
    │   ├── GatedError                its terms have to be accepted there first
    │   ├── HubNotFoundError          it has no such repository, or no such file
    │   ├── CutOffError               the connection broke off again and again in the middle of a file
    │   └── ContentError              what it serves is not what it, or an earlier download, says
    ├── BenchmarkError                something that is measured is missing or failed
    ├── ReceiptError                  a receipt is malformed or does not verify
    ├── CalibrationError              a calibration file is malformed or stands on too little
    ├── VerificationError             evidence, a block, a certificate or standings are refused
    └── StorageError                  disk, database, key store
        ├── DataDirectoryLockedError  another engine owns this data directory
        ├── ModelBusyError            another process downloads, imports or removes this model
        ├── ModelInUseError           a model that is to be removed is in use, or stays
        ├── DiskFullError             the disk has no room for a model
        ├── DiskLimitError            the owner's limit for models leaves no room for it
        ├── KeyStoreError             keys cannot be read or written
        └── ResourceMissingError      a file of the program itself is not where it belongs

What a user sees (``str(error)``) says what happened, what it means and what to do. A ``RequestError`` has a
machine-readable ``code`` that crosses the network and the API unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal


class GenTorrentError(Exception):
    """Root of the tree; catch this at a user or peer boundary."""


class ConfigurationError(GenTorrentError):
    """A setting, option or environment variable is wrong."""


class WireError(GenTorrentError):
    """Bytes from a peer are not a message of this protocol."""


class CryptoError(GenTorrentError):
    """A key, signature or seal does not check out."""


class SignatureError(CryptoError):
    """A signature does not verify for its purpose, network and fields."""


class SealError(CryptoError):
    """Sealed bytes cannot be opened with this key and context."""


class DirectoryError(GenTorrentError):
    """A descriptor, snapshot or genesis file is refused."""


class ManifestError(GenTorrentError):
    """What a publisher says of a model is forged, no longer holds, or would go back."""

    code = "manifest_refused"


class EquivocationError(DirectoryError):
    """A server has signed two directories of one epoch."""


class TransportError(GenTorrentError):
    """Links and signaling."""


class LinkError(TransportError):
    """One link was closed, timed out or was refused."""


class BootstrapUnreachableError(TransportError):
    """The bootstrap server does not answer."""


class LoginRefusedError(GenTorrentError):
    """The bootstrap server refused this node; the text carries its reason."""


class PathError(GenTorrentError):
    """Anonymous paths."""


class PathSetupError(PathError):
    """One path set-up failed, at a known hop."""


class TooFewRelaysError(PathError):
    """The network is too small for the paths that its genesis file asks for."""


class RequestError(GenTorrentError):
    """A request for an answer cannot be served. ``code`` is stable and machine-readable; ``parameter`` names the field
    of the local API that is to blame, where that is known."""

    code = "internal_error"
    estimate: float = 0.0
    """Seconds until the machine that refuses could have answered; 0 where it does not say."""
    alternatives: tuple[bytes, ...] = ()
    """Ids of the machines that it recommends, the best first."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class InvalidRequestError(RequestError):
    """The request itself is wrong."""

    code = "invalid_request"


class UnknownModelError(RequestError):
    """Nobody serves this model."""

    code = "model_not_found"


class UnreviewedModelError(RequestError):
    """Nobody but its publisher has looked at this model: it has to be confirmed before it is asked."""

    code = "unreviewed_model"


class LicenceNeededError(RequestError):
    """The owner has not accepted the licence that a model has now."""

    code = "licence_needed"


class UntrustedPublisherError(RequestError):
    """The owner does not serve the models of this publisher."""

    code = "untrusted_publisher"


class ContextLengthError(RequestError):
    """Prompt and answer do not fit the model's context."""

    code = "context_length_exceeded"


class OverloadedError(RequestError):
    """Too much work at the moment."""

    code = "overloaded"


class NetworkNotReadyError(RequestError):
    """Still joining the network, or paths are not built yet."""

    code = "network_not_ready"


@dataclass(frozen=True, slots=True)
class WeakerPaths:
    """What can be chosen while relays are missing: ``paths`` of ``hops`` relays, 0 for none at all (direct)."""

    paths: int
    hops: int
    text: str


class WeakerPathsNeededError(NetworkNotReadyError):
    """The network has too few relays for its paths, and nothing weaker was accepted. ``relays`` can be used,
    ``missing`` are wanted besides, ``choices`` are possible now."""

    code = "too_few_relays"

    def __init__(
        self, message: str, *, relays: int = 0, missing: int = 0, choices: tuple[WeakerPaths, ...] = ()
    ) -> None:
        super().__init__(message)
        self.relays = relays
        self.missing = missing
        self.choices = choices


class ServingNodeLostError(RequestError):
    """The serving node went away in mid-answer."""

    code = "serving_node_lost"


class ServingNodeLeavingError(ServingNodeLostError):
    """The serving node said in mid-answer that it leaves."""

    code = "serving_node_leaving"


class AnswerCancelledError(RequestError):
    """The client itself cancelled the answer."""

    code = "cancelled"


class StoppedError(RequestError):
    """The owner has stopped what was being done."""

    code = "stopped"


class ChatNotFoundError(RequestError):
    """There is no such chat, or no such message in it."""

    code = "chat_not_found"


class ChatBusyError(RequestError):
    """One answer at a time is written in a chat."""

    code = "chat_busy"


class InferenceError(GenTorrentError):
    """The inference engine."""


class ModelFolderError(InferenceError):
    """A model folder lacks or contradicts something; the text names the file and the fix."""

    code = "no_model"


class ProviderFailedError(InferenceError):
    """The execution provider itself failed (a GPU out of memory, a device lost): no request is to blame."""


class NoRoomError(ProviderFailedError):
    """A model does not fit into the memory that its device may give: the device is well, and others may have room."""


class DeviceBarredError(ProviderFailedError):
    """A device may not be used any more: its owner has switched it off, or it is gone. Others may go on."""


class WorkerDiedError(InferenceError):
    """The inference worker ended unexpectedly; the engine restarts it."""


class RemoteServerError(InferenceError):
    """Another program that makes the answers cannot be reached or broke the protocol."""


class HubError(GenTorrentError):
    """The model hub refuses, or asks for what is not done here. ``code`` is stable, for the control API."""

    code = "hub_failed"


class HubUnreachableError(HubError):
    """The model hub cannot be reached."""

    code = "hub_unreachable"


class GatedError(HubError):
    """The hub gives this only to accounts that have accepted its terms."""

    code = "hub_gated"


class HubNotFoundError(HubError):
    """The hub has no such repository, revision or file."""

    code = "hub_not_found"


class CutOffError(HubError):
    """The connection broke off again and again in the middle of a file; what has arrived is kept."""

    code = "cut_off"


class ContentError(HubError):
    """Bytes or names from the hub are not what the hub itself, or an earlier download, says they are."""

    code = "wrong_content"


class BenchmarkError(GenTorrentError):
    """Something that is to be measured is missing or failed."""


class ReceiptError(GenTorrentError):
    """A receipt is malformed or does not verify."""


class CalibrationError(GenTorrentError):
    """A calibration file is malformed, of another version, or stands on too little."""


class VerificationError(GenTorrentError):
    """Evidence, a block of the committee, its certificate or the standings after it are refused."""


class ForgedRecordError(VerificationError):
    """The signature of a verifier's record does not fit: whoever passes it on has not looked, or lies."""


class StorageError(GenTorrentError):
    """Disk, database, key store. ``code`` is stable, for the control API."""

    code = "storage_failed"


class DataDirectoryLockedError(StorageError):
    """Another engine owns this data directory."""


class ModelBusyError(StorageError):
    """Another process is downloading, importing or removing this model."""

    code = "model_busy"


class ModelInUseError(StorageError):
    """A model that is to be removed is in use, or stays."""

    def __init__(
        self, text: str, code: Literal["model_contributed", "model_answers", "model_stays"] = "model_stays"
    ) -> None:
        super().__init__(text)
        self.code = code


class DiskFullError(StorageError):
    """The disk has no room for a model; what has arrived of it is kept."""

    code = "disk_full"


class DiskLimitError(StorageError):
    """The owner's limit for models leaves no room for this one."""

    code = "disk_limit"


class KeyStoreError(StorageError):
    """Keys cannot be read or written."""


class ResourceMissingError(StorageError):
    """A file that belongs to the program is missing; the text names it and says what to do."""


@contextmanager
def first_failure(kind: type[Exception] | tuple[type[Exception], ...]) -> Iterator[None]:
    """A task group that ends with nothing but failures of ``kind`` fails with the first of them; other groups pass as
    they are.

    In place of ``except*``: what is raised there comes out inside another group on Python up to 3.11.3 (Debian 12 has
    3.11.2), and the user reads a traceback instead of a sentence.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        ours, others = group.split(kind)
        if ours is None or others is not None:
            raise
        raise _leaf(ours) from None


def _leaf(error: BaseException) -> BaseException:
    return _leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


REQUEST_ERRORS: dict[str, type[RequestError]] = {
    error.code: error
    for error in (
        RequestError,
        InvalidRequestError,
        UnknownModelError,
        UnreviewedModelError,
        LicenceNeededError,
        UntrustedPublisherError,
        ContextLengthError,
        OverloadedError,
        NetworkNotReadyError,
        ServingNodeLostError,
        ServingNodeLeavingError,
        AnswerCancelledError,
        StoppedError,
        ChatNotFoundError,
        ChatBusyError,
    )
}


def request_error(code: str, message: str, parameter: str | None = None) -> RequestError:
    """The error for a ``code`` received from a peer; an unknown code becomes a plain ``RequestError``."""
    return REQUEST_ERRORS.get(code, RequestError)(message, parameter)
