"""The presence of an engine's node identity: relay, proxy and model node, owned by one ``run``."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from engine.directory.descriptor import make_descriptor
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.graph import RelayGraph, introducers, refusal, stepping_stones, wanted_links
from engine.directory.standing import StandingBook
from engine.errors import StorageError
from engine.forwarding.policies.registry import by_name
from engine.ids import NodeId
from engine.inference.types import InferenceBackend
from engine.library.calibrations import known_calibrations
from engine.node.answer_scorer import AnswerScorer
from engine.node.bringing_samples import BringingSamples
from engine.node.cached_prefixes import CachedPrefixes
from engine.node.committee_presence import CommitteePresence, MakeVerifier
from engine.node.committee_seat import CommitteeSeat
from engine.node.entry_role import EntryRole
from engine.node.group import GroupRole
from engine.node.keys import NodeKeys
from engine.node.offered_models import noticeably_different, served_model
from engine.node.overlay_peer import OverlayPeer
from engine.node.own_results import OwnResults
from engine.node.presence import SOFTWARE, Membership, Presence
from engine.node.scoring_service import ScoringService
from engine.node.serving_role import ServingRole
from engine.node.submission import Submission
from engine.node.taken_memory import TakenMemory
from engine.sentences import said_by, say
from engine.storage.receipt_store import ReceiptStore
from engine.transport.addresses import LOOPBACK_ADDRESS
from engine.transport.bootstrap_state import BootstrapState, Phase
from engine.transport.link import LinkSender
from engine.transport.mesh import Mesh
from engine.wire.records import ServedModel, Signed

KEY_CHECK_SECONDS = 600.0
DEFAULT_RELAY_BANDWIDTH = 2_500_000
"""Bytes per second that a relay passes on at most, which it advertises."""
DEFAULT_POLICY = "cost"
"""Who serves what has come here: a name of ``engine.forwarding.policies.registry``."""
LOOK_SECONDS = 0.01
FINISH_LOOK_SECONDS = 0.1
RATES_SECONDS = 300.0
"""Between two looks at that, where nothing else has changed: rates of a busy machine go up and down."""


class PeerPresence(Presence):
    """Relay, proxy and model node under the node identity; what it is goes into its descriptor."""

    def __init__(
        self,
        membership: Membership,
        keys: NodeKeys,
        backend: InferenceBackend,
        *,
        relays: bool,
        max_tokens_per_second: float | None,
        bandwidth: int = DEFAULT_RELAY_BANDWIDTH,
        signaling_address: str = "",
        prefixes: CachedPrefixes | None = None,
        forwarding_policy: str = DEFAULT_POLICY,
        make_verifier: MakeVerifier | None = None,
        calibrations: Path | None = None,
        family: str = "",
        served: Callable[[int], None] = lambda _: None,
        finished: Callable[[], None] = lambda: None,
        longest_request: Callable[[], int | None] = lambda: None,
    ) -> None:
        """``prefixes``: what the back end's caches hold, if it tells. ``make_verifier``: the part of this machine in
        checking nodes, while its key is in the committee. ``calibrations``: the owner's own, for the scores that
        verifiers ask for. ``family``: what its owner's machines have in common. ``served`` hears how many tokens have
        been written for others, ``finished`` of each answer that has come to its end. ``longest_request``: tokens of a
        prompt and its answer that the owner allows now; None: all."""
        super().__init__(membership, keys.identity, client_only=False)
        self._keys = keys
        self.bootstrap.announce(keys.succession, keys.succession_told)
        self._backend = backend
        self._prefixes = prefixes or CachedPrefixes()
        self._relays = relays
        self._bandwidth = bandwidth
        self._signaling_address = "" if membership.relayed_only else signaling_address
        self._limit = max_tokens_per_second
        self._forwarding_policy = forwarding_policy
        self._make_verifier = make_verifier
        self._calibrations = calibrations
        self._family = family
        self._served, self._finished = served, finished
        self._longest_request = longest_request
        self._offered: frozenset[str] = frozenset()
        self._started = math.ceil(membership.clock.wall())
        self._published: tuple[ServedModel, ...] = ()
        self._looked_at_rates = membership.clock.monotonic()
        self._graph: RelayGraph | None = None
        self._taken = TakenMemory(membership.networks, membership.clock)
        self._told = (0.0, 0.0)  # when the newest snapshot was signed, and when it came (monotonic)
        self.peer: OverlayPeer | None = None
        self.serving: ServingRole | None = None
        self.group: GroupRole | None = None
        self._entry: EntryRole | None = None
        self.submission: Submission | None = None
        self.seat: CommitteeSeat | None = None
        self.results: OwnResults | None = None

    @property
    def node_id(self) -> NodeId:
        """Of the node identity."""
        return self._identity.node_id

    @property
    def relays(self) -> tuple[bool, int]:
        """Whether others' cells pass, and how many bytes of them per second at most."""
        return self._relays, self._bandwidth

    def offer(self, models: frozenset[str]) -> None:
        """Serve exactly these models to others from now on, and say so in the directory."""
        withdrawn, self._offered = self._offered - models, models
        if self.serving is not None:
            self.serving.leave(self.serving.answered_models - models)  # what was offered until :meth:`finish`, too
            self.serving.offered = models
        if self.group is not None:
            self.group.offer(models)
        self.refresh(at_once=bool(withdrawn))  # nobody shall be sent here who would be refused

    def relay(self, on: bool, bandwidth: int) -> None:
        """Pass others' cells from now on or not, at most so many bytes of them per second, and say so in the
        directory. Answers and links for them go on."""
        if (on, bandwidth) == (self._relays, self._bandwidth):
            return
        self._relays, self._bandwidth = on, bandwidth
        if self.peer is not None:
            self.peer.set_relaying(on, float(bandwidth))
            self.bootstrap.publish(self._descriptor, at_once=True)
            self._look_at_links()

    async def finish(self, seconds: float) -> None:
        """Take nobody new, and wait so long at most until those who are being answered have their answers; who has
        not is told to go on elsewhere."""
        self._offered = frozenset()
        if self.group is not None:
            self.group.offer(frozenset())
        serving = self.serving
        if serving is None:
            return
        serving.offered = frozenset()
        self.refresh(at_once=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while serving.answering:  # noqa: ASYNC110 - answers end in many ways, which need no event
                    await asyncio.sleep(FINISH_LOOK_SECONDS)
        serving.leave(serving.answered_models)

    async def leave(self, seconds: float) -> None:
        """Answer nobody any more, and wait so long at most until everybody who was being answered knows it."""
        self.offer(frozenset())
        peer = self.peer
        if peer is None:
            return
        peer.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not peer.serving.is_delivered():  # noqa: ASYNC110 - a sans-I/O machine has no event
                    await asyncio.sleep(LOOK_SECONDS)

    def refresh(self, *, at_once: bool = False) -> None:
        """Publish again if what would be published has changed noticeably."""
        if self.peer is not None and noticeably_different(self._models(), self._published):
            self.bootstrap.publish(self._descriptor, at_once=at_once)

    def refresh_rates(self) -> None:
        """The same now and then, as its workers learn how fast they are; call it as often as you like."""
        now = self._membership.clock.monotonic()
        if now >= self._looked_at_rates + RATES_SECONDS:
            self._looked_at_rates = now
            self.refresh()

    async def run(self) -> None:
        """Until cancelled; then the node is withdrawn from the directory politely."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.bootstrap.run())
                genesis = await self.genesis()
                await self.reachable(genesis)
                peer, serving = self._assemble(genesis)
                group, entry = self.group, self._entry
                assert self.mesh is not None
                assert group is not None
                assert entry is not None
                for part in (self.mesh, peer.relay_loop, peer.serving_loop, serving, group.loop, entry):
                    tasks.create_task(part.run())
                tasks.create_task(self.follow_standings(genesis, self._standings_changed))
                path = self._membership.networks / genesis.network_id.hex() / "own-results"
                if genesis.genesis.committee_keys:
                    self.results = OwnResults(self.node_id, genesis, self.bootstrap.read, path, os.urandom)
                    tasks.create_task(self.results.run())
                self.bootstrap.publish(self._descriptor)
                tasks.create_task(self._rotate_keys())
                if self.submission is not None:
                    tasks.create_task(self.submission.run())
                if self.seat is not None:
                    tasks.create_task(self.seat.run())
                try:
                    await asyncio.Event().wait()
                finally:
                    group.leave()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(2.0):
                            await asyncio.shield(self.bootstrap.withdraw())
        finally:
            if self.submission is not None:
                self.submission.close()
            self.mesh = self.peer = self.serving = self.group = self._entry = self.submission = self.standings = None
            self.seat = self.results = None
            self.end()
            self._taken.close()

    def _assemble(self, genesis: GenesisRecord) -> tuple[OverlayPeer, ServingRole]:
        clock, network_id, taken = self._membership.clock, genesis.network_id, self._taken
        self._graph = RelayGraph(genesis.parameters)
        peer = OverlayPeer(
            self.node_id,
            network_id,
            self._keys.onion_private,
            self._keys.sealing,
            clock,
            os.urandom,
            parameters=genesis.genesis.parameters,
            started=float(self._started),
            relays=self._relays,
            bandwidth=float(self._bandwidth),
            replays=taken.set_ups(network_id),
            admission=taken.requests(genesis, float(self._started)),
        )
        peer.saturation_changed = lambda: self.bootstrap.publish(self._descriptor)
        serving = ServingRole(
            self._identity, network_id, self._backend, clock, peer.push, peer.serving.paused, self._limit
        )
        serving.offered, serving.served, serving.finished = self._offered, self._served, self._finished
        serving.longest_request = self._longest_request
        serving.scoring = ScoringService(
            self._identity, network_id, self._scorer, clock, genesis.genesis.parameters.epoch_seconds
        )
        serving.bringing = BringingSamples(genesis, lambda: self.bootstrap.server, clock)
        peer.start, peer.cancel = serving.start, serving.cancel
        peer.head, peer.heard_head = lambda: self.bootstrap.head, self.bootstrap.heard_head
        peer.sender = self.make_mesh(network_id, genesis.genesis.parameters, peer)
        peer.dial, peer.linked = peer.sender.dial, self._linked
        peer.sender.introducers = partial(self._introducers, peer.sender.introducers)
        self.peer, self.serving = peer, serving
        self.group = self._make_group(genesis, peer, peer.sender)
        self.submission = self._make_submission(genesis, serving)
        self.seat = self._make_seat(genesis, peer, peer.sender)
        policy = by_name(self._forwarding_policy)
        self._entry = EntryRole(peer, serving, self.group, policy, clock, os.urandom, self._backend)
        self._entry.attach()
        if self.bootstrap.directory is not None:
            self.directory_changed(self.bootstrap.directory)
        return peer, serving

    def _scorer(self) -> AnswerScorer:
        return AnswerScorer(self._backend, known_calibrations(self._calibrations))

    def _make_group(self, genesis: GenesisRecord, peer: OverlayPeer, sender: LinkSender) -> GroupRole:
        group = GroupRole(
            self._identity,
            genesis.network_id,
            self._backend,
            self._prefixes,
            self._membership.clock,
            os.urandom,
            committee=bool(genesis.genesis.committee_keys),
        )
        group.sender = sender
        peer.heard_group, peer.links_changed = group.heard, group.links_changed
        group.offer(self._offered)
        return group

    def _make_seat(self, genesis: GenesisRecord, peer: OverlayPeer, sender: LinkSender) -> CommitteeSeat | None:
        make_verifier = self._make_verifier
        if make_verifier is None or not genesis.genesis.committee_keys:
            return None

        def make(outside_at: int) -> CommitteePresence:
            folder = self._membership.networks / genesis.network_id.hex() / "committee"
            committee = CommitteePresence(
                self._identity,
                genesis,
                folder,
                make_verifier,
                self._membership.clock,
                lambda: self.bootstrap.server,
                self.bootstrap.read,
                outside_at,
            )
            committee.role.sender, committee.role.notice = sender, self._membership.notice
            committee.verifier.checkable.family = self._family
            return committee

        seat = CommitteeSeat(
            self._identity, genesis, make, lambda: self.standings.checked if self.standings is not None else None
        )
        seat.changed, seat.notice = self._look_at_links, self._membership.notice
        peer.heard_committee = seat.heard
        return seat

    @property
    def committee(self) -> CommitteePresence | None:
        """This machine's part in the committee, while it is a member."""
        return self.seat.presence if self.seat is not None else None

    def _standings_changed(self, book: StandingBook) -> None:
        if self.group is not None:
            self.group.update_standings(book)
        if self.seat is not None:
            self.seat.look()
        if self.results is not None and self.standings is not None and self.standings.checked is not None:
            self.results.look(self.standings.checked)

    def _look_at_links(self) -> None:
        if self.bootstrap.directory is not None:
            self.directory_changed(self.bootstrap.directory)

    def _make_submission(self, genesis: GenesisRecord, serving: ServingRole) -> Submission | None:
        """Where there is a committee; without a usable disk this node answers all the same, and says so."""
        if not genesis.genesis.committee_keys:
            return None
        try:
            store = ReceiptStore(self._membership.networks / genesis.network_id.hex() / "receipts.sqlite3")
        except StorageError as error:
            self._membership.notice(say("receipts.not_counted", problem=said_by(error)))
            return None
        submission = Submission(
            self._identity, genesis, store, self._membership.clock, lambda: self.bootstrap.server, os.urandom
        )
        submission.running, serving.signed = serving.executions, submission.keep
        submission.server_time = self._server_time
        submission.notice, submission.changed = self._membership.notice, self._membership.changed
        submission.show, self.bootstrap.on_opening_wanted = self.bootstrap.show, submission.want
        return submission

    def _server_time(self) -> float:
        """Seconds since 1970: that of the newest snapshot, and what has passed since it came."""
        directory, now = self.bootstrap.directory, self._membership.clock.monotonic()
        if directory is not None and directory.issued > self._told[0]:
            self._told = (float(directory.issued), now)
        return self._told[0] + (now - self._told[1])

    def _on_state(self, state: BootstrapState) -> None:
        came = state.phase is Phase.CONNECTED and not self._was_connected
        super()._on_state(state)
        if came and self.submission is not None:
            self.submission.look_again()

    def directory_changed(self, directory: Directory) -> None:
        """Keep linked whom the graph says; of two the lower id dials. Links to who is no neighbour any more stay until
        nothing goes over them."""
        if self.peer is None or self.mesh is None or self._graph is None:
            return
        self.peer.update_directory(directory)
        if self.group is not None:
            self.group.update_directory(directory)
        if self._entry is not None:
            self._entry.update_directory(directory)
        if self.seat is not None:
            self.seat.update_directory(directory)
        self._graph.update(directory)
        self._want_links(self._graph, self.mesh, directory)

    def _want_links(self, graph: RelayGraph, mesh: Mesh, directory: Directory) -> frozenset[NodeId]:
        """See :meth:`directory_changed`; gives whom the graph says."""
        group = self.group.neighbours() if self.group is not None else frozenset()
        if self.seat is not None:
            group |= self.seat.neighbours()
        ids = group
        if self._relays or self._offered or self.committee is None:  # who only verifies asks as a client
            ids |= wanted_links(graph, directory, self.node_id, relays=self._relays)
        mutual = ids if graph.is_mesh else ids & group.union(graph.neighbours(self.node_id))
        lower = {node_id for node_id in mutual if node_id < self.node_id}
        # Who comes back without a server has to dial: nobody else hears of it.
        unheard = not self.bootstrap.connected
        more = stepping_stones(graph, self.node_id, mesh.links()) if unheard else ()
        mesh.want((ids - lower).union(more), expected=lower, unheard=unheard)
        return ids

    def _linked(self, peer: NodeId) -> None:
        """Without the server each new link with a relay may be the way to others."""
        graph, mesh, directory = self._graph, self.mesh, self.bootstrap.directory
        if self.bootstrap.connected or graph is None or mesh is None or directory is None:
            return
        if peer not in graph:
            return  # a client that comes and goes makes nobody dial
        wanted = self._want_links(graph, mesh, directory)
        if 2 * len(wanted & mesh.links()) < len(wanted):
            mesh.bring_forward()

    def _introducers(self, linked: Callable[[NodeId], Collection[NodeId]], peer: NodeId) -> Collection[NodeId]:
        """Of the linked nodes those that the graph links with ``peer``; where there is none, all."""
        everybody = linked(peer)
        if self._graph is None or self._graph.is_mesh:
            return everybody
        near = self._graph.neighbours(peer) or introducers(self._graph, peer)
        return frozenset(everybody).intersection(near) or everybody

    def _refuse(self, caller: NodeId, is_client: bool) -> str | None:
        """A relay takes links from its neighbours in the graph, and others as ``refusal`` says."""
        directory = self.bootstrap.directory
        if is_client or directory is None or self._graph is None:
            return None
        if self.seat is not None and caller in self.seat.neighbours():
            return None
        return refusal(self._graph, directory, self.node_id, caller)

    def _models(self) -> tuple[ServedModel, ...]:
        return tuple(served_model(info) for info in self._backend.models() if info.model_id in self._offered)

    def _descriptor(self) -> Signed:
        genesis = self.bootstrap.genesis
        assert genesis is not None
        self._published = self._models()
        return make_descriptor(
            self._identity,
            genesis.network_id,
            self._membership.clock.wall(),
            started=self._started,
            lifetime=genesis.genesis.parameters.descriptor_seconds,
            relay=self._relays,
            onion_keys=self._keys.onion_records() if self._relays else (),
            seal_keys=self._keys.seal_records() if self._published else (),
            models=self._published,
            relay_bandwidth=self._bandwidth if self._relays else 0,
            spare_capacity=self.peer is None or not self.peer.saturated,
            family=self._family,
            software=SOFTWARE,
            signaling=self._signaling_address if self._relays else "",
        )

    def _listen(self) -> tuple[str, int] | None:
        """On the port that others are told, on all interfaces of that family."""
        if not self._signaling_address:
            return None
        host, _, port = self._signaling_address.rpartition(":")
        everywhere = "::" if host.startswith("[") else "0.0.0.0"  # noqa: S104 - it is there to be reached
        return (host if host == LOOPBACK_ADDRESS else everywhere), int(port)

    def _cannot_listen(self, reason: str) -> None:
        """The address is withdrawn from the descriptor: nobody shall wait for an answer there."""
        address, self._signaling_address = self._signaling_address, ""
        self.bootstrap.publish(self._descriptor)
        self._membership.notice(say("signaling.address", address=address, problem=reason))

    async def _rotate_keys(self) -> None:
        while True:
            await asyncio.sleep(KEY_CHECK_SECONDS)
            try:
                changed = self._keys.rotate()
            except StorageError as error:
                # Yesterday's keys still open what arrives; the next attempt comes soon.
                self._membership.notice(say("keys.not_made", problem=said_by(error)))
                continue
            if changed:
                self.bootstrap.publish(self._descriptor)
