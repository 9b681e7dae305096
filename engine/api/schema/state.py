"""``State``, all that a window shows about the engine, and what is made of it."""

from __future__ import annotations

from typing import Literal

from engine.api.schema.base import ControlEvent, ControlRequest, SamplingChoice, WeakerChoice, Worded


class SetContributing(ControlRequest, frozen=True, kw_only=True, tag="set_contributing"):
    """Turn answering of other people's questions on or off. A ``State`` follows, or ``RequestFailed``. On ends the
    owner's own pause, unless not ``by_owner``: a program only restores what the owner has chosen before."""

    on: bool
    by_owner: bool = True


class GetState(ControlRequest, frozen=True, kw_only=True, tag="get_state"):
    """Send ``State`` now."""


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
    bootstrap_used: str = ""  # the server that is used, or tried now
    bootstrap_since: float = 0.0  # since when it is connected, or none is: seconds since 1970, 0: not known
    listed_since: float = 0.0  # since when this machine is listed by the one that it uses; 0: it is not
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
    """``on`` is the owner's switch; ``status`` is what happens. ``by_owner``: the owner's own pause holds,
    beside whatever else does."""

    on: bool
    status: Literal["off", "starting", "on", "paused", "draining", "failed"]
    reason: str = ""
    model: str = ""
    model_reason: str = ""
    better: str = ""
    better_reason: str = ""
    answering: int = 0  # other people's answers running now
    answered: int = 0  # since the start
    tokens: int = 0  # written for others since the start
    until: float = 0.0  # "paused": seconds since 1970 at which it ends; 0: not known
    by_owner: bool = False
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


__all__ = [
    "ContributingState",
    "GetState",
    "ModelState",
    "NetworkState",
    "RelayState",
    "SetContributing",
    "State",
    "WorkerState",
]
