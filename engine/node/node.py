"""The engine: one composition of storage, inference, network presences and the local API, and its life."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from engine.api.metrics import Metrics
from engine.api.schema import ModelState, State, Topology
from engine.api.server import ApiServer
from engine.api.service import AnswerEvent, AnswerRequest
from engine.api.state_feed import StateFeed
from engine.chats.history import ChatHistory
from engine.clock import Clock, SystemClock
from engine.config import Configuration
from engine.directory.shapes import Accepted
from engine.errors import ConfigurationError, GenTorrentError, first_failure
from engine.governor.findings import MEGABIT
from engine.ids import NetworkId, is_publishers
from engine.inference.backend_set import BackendSet
from engine.inference.models.installed import Catalogue
from engine.inference.supervisor.settings import WorkerState
from engine.inference.types import InferenceBackend
from engine.library.agreements import Agreements
from engine.library.known import reviewed_models
from engine.library.published import PublishedModels
from engine.library.publishing import Outgoing
from engine.lifeline import run_on_loop, stop_with_parent
from engine.node.answers import Answers
from engine.node.automatic import AutomaticModel
from engine.node.backends import make_pool, make_remote
from engine.node.cached_prefixes import CachedPrefixes
from engine.node.client_presence import ClientPresence
from engine.node.contribution_service import ContributionService, is_private, make_governing
from engine.node.device_limits import DeviceLimits
from engine.node.diagnostics import diagnostics
from engine.node.group_metrics import GroupMetrics
from engine.node.joining import invitation_of, join, join_later, leave_later
from engine.node.keys import NodeKeys
from engine.node.library_service import LibraryService
from engine.node.model_uses import disk_limit, let_go, model_uses
from engine.node.model_watch import watch_models
from engine.node.network_service import make_network_service
from engine.node.overlay_client import OverlayClient
from engine.node.peer_keeper import PeerKeeper
from engine.node.peer_presence import PeerPresence
from engine.node.presence import Membership
from engine.node.published_follower import PublishedFollower
from engine.node.recent_log import RecentLog
from engine.node.relay_metrics import RelayMetrics
from engine.node.served_tokens import ServedTokens
from engine.node.status import contributing_state, make_state, model_states, network_state
from engine.node.topology import topology
from engine.paths.relay import RelayMachine
from engine.sentences import say
from engine.storage import forgetting
from engine.storage.data_directory import DataDirectory, EngineLock, acquire_lock, load_api_token
from engine.storage.files import make_directory
from engine.storage.key_store import KeyStore
from engine.transport.bootstrap_client import parse_bootstrap
from engine.transport.connectivity import Connectivity, tls_context
from engine.transport.network_watch import NetworkWatch

logger = logging.getLogger(__name__)
IDLE_SECONDS = 0.2
"""An engine that stops once it is idle looks so often, and so long must it be; the last events are on their way."""
FINISH_SECONDS = 600.0
"""So long at most running answers may take where the owner lets them finish before a pause."""
LEAVE_SECONDS = 0.5
"""So long at most it may take to tell clients that this machine leaves."""
MAX_NOTICES = 16


class Node:
    """One running engine. Implements ``ControlService``."""

    def __init__(self, configuration: Configuration, lock: EngineLock, clock: Clock) -> None:
        self.configuration = configuration
        self._clock = clock
        self.started = clock.wall()
        directory = DataDirectory(configuration.data_directory)
        store = KeyStore(directory.keys, clock)
        self.key_storage = {"keyring": "keyring", "passphrase": "encrypted file"}.get(store.protection, "plain file")
        logger.info("%s", store.notice)
        self.notices: list[str] = []
        self.recent_log = RecentLog()
        self.keys = NodeKeys(store)
        self._feed = StateFeed(self.state)
        self._models = directory.models
        self.prefixes = CachedPrefixes()
        self.inference = make_pool(
            configuration, directory.models, clock, self.worker_changed, self.prefixes.heard, self._load_changed
        )
        self.remote = make_remote(
            configuration, os.environ, clock, self.remote_changed, self._notice, self._load_changed
        )
        others = {self.remote.model_id: self.remote} if self.remote is not None else {}
        self.backend: InferenceBackend = BackendSet(self.inference, others)
        self.client: ClientPresence | None = None
        self._membership = self._make_membership(directory)
        self.published = PublishedModels(directory.published, clock, Agreements(directory.models))
        self.reviewed = reviewed_models(configuration.data_directory)
        self.follower = PublishedFollower(
            self.published,
            Outgoing(directory.published),
            lambda: self.client.bootstrap if self.client is not None else None,
            clock,
            self._published_changed,
            self._notice,
            lambda: Catalogue(directory.models).folders(),
        )
        self.answers = Answers(
            self.backend, self.overlay, self._membership is not None, clock, os.urandom, self.published
        )
        self.chats = ChatHistory(directory.chats, self, self.answers.count_tokens, clock, os.urandom, self._notice)
        self.chats.forget_keys = self.forget_keys
        self.served = ServedTokens(directory.path / "served.json", clock)
        self.library = LibraryService(
            configuration.data_directory,
            directory.models,
            clock,
            os.environ,
            self.published,
            self.follower.nudge,
            limit=lambda: disk_limit(self),
            uses=lambda: model_uses(self),
            let_go=lambda model: let_go(self, model),
        )
        self.contribute_wanted = bool(configuration.contribute)
        self.governing = make_governing(self, directory.path, clock)
        self.automatic = AutomaticModel(self, directory.path, clock)
        self.keeper = PeerKeeper(self)
        self.leaving: set[str] = set()
        """Models that are about to be deleted."""
        self._applied: object = None
        self.devices = DeviceLimits(
            self.inference,
            self.governing,
            directory.path / "power-limits.json",
            serves=lambda: self.keeper.ready,
            own_work=lambda: bool(self.answers.running_here),
            changed=self._look_at_switch,
        )
        self.answers.begins_here, self.answers.hot = self.devices.look, lambda: self.devices.hot
        self.network = make_network_service(self, directory.path, clock)
        self._stop = asyncio.Event()
        self._idle_stop = asyncio.Event()
        self._told: tuple[str, str] = ("", "")
        metrics = Metrics()
        metrics.registry.register(RelayMetrics(self._relay, clock))
        metrics.registry.register(GroupMetrics(lambda: self.peer.group if self.peer is not None else None))
        self.api = ApiServer(
            self,
            api_token=load_api_token(directory.api_token),
            control_token=lock.control_token,
            port=configuration.api_port,
            clock=clock,
            metrics=metrics,
            allowed_origins=configuration.api_allowed_origins,
            chats=self.chats,
            library=self.library,
            contribution=ContributionService(self),
            network=self.network,
        )
        self.devices.look()
        self._look_at_switch()
        lock.set_port(self.api.bind())

    # Parts

    def _make_membership(self, directory: DataDirectory) -> Membership | None:
        if not self.configuration.bootstrap:
            return None
        address = parse_bootstrap(self.configuration.bootstrap)
        make_directory(directory.networks)
        return Membership(
            urls=address.urls,
            network_id=address.network_id,
            networks=directory.networks,
            clock=self._clock,
            changed=self.changed,
            notice=self._notice,
            connectivity=Connectivity(
                directory.networks / "connectivity.json", self._clock, tls=tls_context(self.configuration.turn_ca)
            ),
            accepted=Accepted(self.configuration.least_paths, self.configuration.least_hops, self.configuration.direct),
            relayed_only=self.configuration.relayed_only,
            links_changed=self._feed.notify,
        )

    def overlay(self) -> tuple[OverlayClient, NetworkId] | None:
        """The client of the network that this engine is in, once it is."""
        presence = self.client
        if presence is None or presence.client is None or presence.network_id is None:
            return None
        return presence.client, presence.network_id

    def _relay(self) -> RelayMachine | None:
        return self.peer.peer.relay if self.peer is not None and self.peer.peer is not None else None

    @property
    def contributed_model(self) -> str:
        """The model that the owner's switch serves."""
        return self.automatic.model

    @property
    def serves_now(self) -> bool:
        """Whether this machine is to answer others now: the owner wants it, and nothing speaks against it."""
        return self.contribute_wanted and self.governing.decision.active and not self.obstacle

    @property
    def obstacle(self) -> str:
        """What speaks against it besides what the governor decides; "": nothing."""
        if self._not_mine:
            return say("governor.not_mine")
        if (model := self.contributed_model.partition(":")[0]) in self.leaving:
            return say("remove.leaves", model=model)
        elsewhere = self.remote is not None and self.contributed_model == self.remote.model_id
        return "" if elsewhere else self.devices.reason

    @property
    def _not_mine(self) -> bool:
        """Whether the owner serves only networks of their own, and this is none."""
        return self.governing.rules.serve == "my_networks" and not (is_private(self.client) or is_private(self.peer))

    @property
    def relaying(self) -> tuple[bool, int]:
        """Whether other people's cells may pass now, and how many bytes of them a second."""
        on = self.configuration.relay and not self.governing.decision.relay_reason
        return on, round(self.governing.rules.relay_rate * self.governing.decision.relay_pace * MEGABIT)

    @property
    def peer(self) -> PeerPresence | None:
        """This machine as others see it, while it relays or contributes."""
        return self.keeper.peer

    # Life

    async def run(self) -> None:
        """Until cancelled or told to shut down."""
        logger.info("the local API is at %s", self.api.address)
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(self.api.run()),
                    tasks.create_task(self.chats.run()),
                    tasks.create_task(self.library.run()),
                    tasks.create_task(self.inference.run()),
                    tasks.create_task(watch_models(self._models, self._models_changed)),
                    tasks.create_task(self.follower.run()),
                    tasks.create_task(self._stop_when_idle()),
                    tasks.create_task(self.governing.run()),
                    tasks.create_task(self.network.run()),
                    tasks.create_task(self.automatic.run()),
                    tasks.create_task(self.devices.run()),
                ]
                if self.remote is not None:
                    parts.append(tasks.create_task(self.remote.run()))
                if self._membership is not None:
                    parts.append(tasks.create_task(self._membership.connectivity.run()))
                    self.client = ClientPresence(self._membership, self.keys)
                    parts.append(tasks.create_task(self.client.run()))
                    parts.append(tasks.create_task(self.keeper.run(self._membership)))
                    parts.append(tasks.create_task(NetworkWatch(self._clock).run(self._network_changed)))
                await self._stop.wait()
                await self.keeper.leave()
                for part in parts:
                    part.cancel()
        finally:
            self.served.keep()
            self._feed.close()

    # ControlService

    def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """See ``AnswerService``."""
        return self.answers.answer(request)

    def models(self) -> list[ModelState]:
        """See ``AnswerService``."""
        directory = self.client.bootstrap.directory if self.client else None
        if directory is not None and any(
            is_publishers(name) and not self.published.get(name) for name in directory.models()
        ):
            self.follower.nudge()
        return model_states(self.backend.models(), directory, self.published, self.reviewed)

    def state(self) -> State:
        """See ``ControlService``."""
        return make_state(self)

    def changes(self) -> AsyncGenerator[State, None]:
        """See ``ControlService``."""
        return self._feed.changes()

    async def set_contributing(self, on: bool, *, by_owner: bool = True) -> None:
        """See ``ControlService``."""
        if self._membership is None:
            raise ConfigurationError(say("control.no_network"))
        if not on and not self.contribute_wanted:
            return  # nothing to stop but the owner's own answers
        self.contribute_wanted = on
        if on and by_owner:
            self.governing.end_break()
        self.governing.decide()
        self.governed()

    def join_network(self, text: str) -> str:
        """See ``ControlService``."""
        return join_later(self.configuration, text, self._clock, self.keys.ids)

    def leave_network(self) -> None:
        """See ``ControlService``."""
        leave_later(self.configuration)

    def topology(self, chat: str) -> Topology:
        """See ``ControlService``."""
        return topology(self, self.answers.paths_of(chat))

    def diagnostics(self) -> str:
        """See ``ControlService``."""
        return diagnostics(self)

    def shutdown(self, *, when_idle: bool = False) -> None:
        """See ``ControlService``."""
        if when_idle:
            self._idle_stop.set()
        else:
            self.governing.ends()
            self._stop.set()
        self._feed.notify()

    def forget_keys(self) -> None:
        """Stop, and be another machine from the next start on."""
        forgetting.wish(DataDirectory(self.configuration.data_directory))
        self._start_anew()

    @property
    def stopping(self) -> bool:
        """Whether it stops as soon as it is idle."""
        return self._idle_stop.is_set()

    async def _stop_when_idle(self) -> None:
        await self._idle_stop.wait()
        idle = 0
        while idle < 2:
            idle = 0 if self.answers.running else idle + 1
            await asyncio.sleep(IDLE_SECONDS / 2)
        self._start_anew()

    def _start_anew(self) -> None:
        """Stop, for whoever started this engine to start another one at once."""
        self._stop.set()
        self._feed.notify()

    def contributing(self) -> str:
        """For logs: what the switch does now."""
        return contributing_state(self).status

    # News

    def governed(self) -> None:
        """The owner or the governor has decided anew, perhaps the same for another reason: then nothing is touched,
        as the owner's own answers may be running."""
        self.devices.look()
        self._look_at_switch()
        self.library.changed()
        self.changed()

    def _look_at_switch(self) -> None:
        devices = (self.devices.barred, self.devices.memory)
        applied = (self.serves_now, self.relaying, self.contributed_model, devices)
        if not self.serves_now:
            self.keeper.ready = False
        if applied != self._applied:
            self._applied = applied
            self.keeper.switch()

    def _network_changed(self) -> None:
        """This machine is somewhere else, or was asleep: what still works is kept, the rest made anew at once."""
        if self._membership is not None:
            self._membership.connectivity.network_changed()
        for presence in (self.client, self.peer):
            if presence is not None:
                presence.network_changed()

    def worker_changed(self, _: WorkerState) -> None:
        """The inference worker's state is another one."""
        self.library.changed()
        if self.peer is not None:
            self.peer.refresh()
        self.changed()

    def _load_changed(self) -> None:
        """This machine's workers have more or less to do."""
        if self.peer is not None and self.peer.group is not None:
            self.peer.group.loads_changed()
            self.peer.refresh_rates()

    async def _models_changed(self) -> None:
        """Models came or went: what the owner wants to contribute may be there now."""
        await self.inference.refresh()
        self.library.changed()
        if self.serves_now and not self.keeper.ready:
            self.keeper.switch()
        self.changed()

    def digest_of(self, model_id: str) -> bytes | None:
        return next((info.digest for info in self.backend.models() if info.model_id == model_id), None)

    def _published_changed(self) -> None:
        """A manifest or what the owner thinks of its publisher is another one: what is contributed may have to end, or
        may begin."""
        if self.contribute_wanted and is_publishers(self.contributed_model):
            self.keeper.switch()
        self.library.changed()
        self.changed()

    def remote_changed(self) -> None:
        """The other server came or went: its model is offered while it is well."""
        if self.remote is not None and self.serves_now and self.contributed_model == self.remote.model_id:
            self.keeper.problem = self.remote.problem
            self.keeper.ready = not self.remote.problem
        if self.peer is not None:
            self.peer.refresh()
        self.changed()

    def changed(self) -> None:
        """Something that a window shows may be another thing."""
        self._look_at_switch()  # only now it may be known whose network this is
        self._feed.notify()
        network, contributing = network_state(self), contributing_state(self)
        told = (network.status, contributing.status)
        if told != self._told:  # the log of an engine without a window says as much as a window would
            self._told = told
            logger.info("network %s: %s", network.status, network.reason or f"{network.name}, {network.relays} relays")
            logger.info("contributing %s: %s", contributing.status, contributing.reason or contributing.model)

    def _notice(self, text: str) -> None:
        logger.warning("%s", text)
        if text not in self.notices:
            self.notices = [*self.notices[-MAX_NOTICES + 1 :], text]
        self.changed()


async def _main(configuration: Configuration, lock: EngineLock, started: Callable[[Node], None]) -> None:
    node = Node(configuration, lock, SystemClock())
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, node.shutdown)
    stop_with_parent(node.shutdown)
    started(node)
    with node.recent_log.attached():
        await node.run()


def run_node(configuration: Configuration, *, started: Callable[[Node], None] = lambda _: None) -> int:
    """Run an engine until SIGTERM, Ctrl-C or a shutdown request; the exit code. Raises ``GenTorrentError``."""
    invitation_of(configuration)  # a mistyped one shall begin nothing
    directory = DataDirectory(Path(configuration.data_directory))
    directory.create()
    with acquire_lock(directory.lock) as lock:
        forgetting.fulfil(directory)
        configuration = join(configuration, SystemClock())
        with first_failure(GenTorrentError), contextlib.suppress(KeyboardInterrupt):
            run_on_loop(_main(configuration, lock, started))
        forgetting.fulfil(directory)
    return 0
