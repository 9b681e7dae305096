"""What the window and scripts see: the engine's state in plain words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal

from engine import __version__
from engine.api.chat_request import suited_sampling
from engine.api.error_reply import weaker_choices
from engine.api.schema import ContributingState, ModelState, NetworkState, RelayState, State
from engine.api.schema import WorkerState as ShownWorker
from engine.directory.directory import Directory
from engine.directory.shapes import Shape
from engine.ids import is_publishers, node_id_text
from engine.inference.types import ModelInfo
from engine.library.published import PublishedModels
from engine.node.standings import slower_words
from engine.sentences import say, together
from engine.transport.bootstrap_state import Phase

if TYPE_CHECKING:
    from engine.node.node import Node


def make_state(node: Node) -> State:
    """Everything at this moment; cheap."""
    configuration = node.configuration
    warnings = list(node.notices)
    if node.client is not None and node.client.bootstrap.state.warning:
        warnings.append(node.client.bootstrap.state.warning)
    if node.peer is not None and node.peer.bootstrap.state.warning not in ("", *warnings):
        warnings.append(node.peer.bootstrap.state.warning)  # also how far a proof of work is
    if node.peer is not None and node.peer.submission is not None and node.peer.submission.problem:
        warnings.append(node.peer.submission.problem)
    if node.peer is not None and node.peer.standings is not None:
        own = node.keys.identity.node_id
        if slower := slower_words(node.peer.standings.book, own, node.inference.models()):
            warnings.append(slower)
    if node.chats.disk.problem:
        warnings.append(node.chats.disk.problem)
    if unused := node.inference.unused():
        warnings.append(unused)
    if node.key_storage == "plain file":
        warnings.append(say("keys.plain"))
    return State(
        engine_version=__version__,
        api_address=node.api.address,
        data_directory=str(configuration.data_directory),
        started=node.started,
        network=network_state(node),
        contributing=contributing_state(node),
        relay=relay_state(node),
        worker=_worker(node),
        models=tuple(node.models()),
        node_id=node_id_text(node.keys.identity.node_id),
        key_storage=node.key_storage,
        warnings=tuple(warnings),
        stopping=node.stopping,
    )


def relay_state(node: Node) -> RelayState:
    """Whether others' cells are passed on; while this node is not listed for it, why."""
    peer, on = node.peer, node.configuration.relay and node.client is not None
    bootstrap = peer.bootstrap.state if peer is not None else None
    # The server may admit this machine's client, and not its node.
    reason = (bootstrap.reason if bootstrap is not None else "") or say("contribute.waiting")
    return RelayState(
        on=on,
        reason="" if not on or (bootstrap is not None and bootstrap.published) else reason,
        circuits=peer.peer.relay.circuits if peer is not None and peer.peer is not None else 0,
        refused=on and bootstrap is not None and bootstrap.phase is Phase.REFUSED,
    )


def network_state(node: Node) -> NetworkState:
    """How it stands with the network, and why."""
    presence = node.client
    if presence is None:
        return NetworkState(
            status="none",
            reason=say("network.none"),
        )
    bootstrap = presence.bootstrap
    directory, genesis, client = bootstrap.directory, bootstrap.genesis, presence.client
    paths = client.best_paths() if client else 0
    shape = (client.choice.shape() or client.choice.full) if client else Shape(1, 1, 1)
    wanted, needed = shape.n, shape.k
    weaker = client is not None and shape < client.choice.full
    status: Literal["joining", "ready", "weak", "offline"] = "joining"
    reason = bootstrap.state.reason
    if client is not None and directory is not None and paths >= wanted and not weaker:
        status = "ready"
    elif weaker and client is not None and paths >= needed:
        status = "weak"
        reason = reason or together(say("paths.accepted", way=_way(shape)), client.choice.reason)
    elif client is not None and directory is not None and paths >= needed:
        status = "weak"
        reason = reason or together(say("paths.some", ready=paths, wanted=wanted), client.problem())
    elif bootstrap.state.phase in (Phase.UNREACHABLE, Phase.REFUSED):
        status = "offline"
    elif client is not None and client.problem() and not bootstrap.state.reason:
        reason = client.problem()
    connectivity = presence.connectivity
    hides = node.configuration.relayed_only and not (genesis and genesis.genesis.parameters.allow_loopback)
    if hides and connectivity.problem and paths < needed:
        status = "offline" if status == "joining" else status
        reason = say("network.turn_only", problem=connectivity.problem)
    turn = connectivity.servers("client").turn
    return NetworkState(
        status=status,
        reason=reason,
        name=genesis.genesis.name if genesis else "",
        network_id=genesis.network_id.hex() if genesis else "",
        bootstrap=node.configuration.bootstrap_url,
        bootstrap_connected=bootstrap.connected,
        bootstrap_used=bootstrap.server,
        bootstrap_since=bootstrap.state.since,
        listed_since=node.peer.bootstrap.state.listed if node.peer else 0.0,
        bootstrap_others=node.configuration.bootstrap_others,
        nodes=len(directory) if directory else 0,
        relays=len(directory.relays()) if directory else 0,
        links=presence.links + (node.peer.links if node.peer else 0),
        links_relayed=presence.links_relayed + (node.peer.links_relayed if node.peer else 0),
        relayed_only=node.configuration.relayed_only,
        turn_server=str(turn.url) if turn else "",
        nat=connectivity.report.mapping.value if connectivity.report.stun else "",
        udp_blocked=connectivity.report.udp_blocked,
        paths=paths,
        paths_wanted=wanted,
        hops_wanted=shape.length if client else 0,
        weaker=weaker,
        direct=shape.direct,
        relays_missing=client.choice.missing if client else 0,
        choices=weaker_choices(client.choice.choices) if client else (),
    )


def _way(shape: Shape) -> str:
    return say("paths.way_direct") if shape.direct else say("paths.way", shape=shape.words)


def contributing_state(node: Node) -> ContributingState:
    """The owner's switch and what happens."""
    serving = node.peer.serving if node.peer else None
    submission = node.peer.submission if node.peer else None
    choice = node.automatic.choice
    status: Literal["off", "starting", "on", "paused", "draining", "failed"] = "off"
    reason = ""
    until = 0.0
    if node.keeper.finishing:
        status, reason = "draining", say("governor.finishing")
    elif node.contribute_wanted and not node.serves_now:
        decision = node.governing.decision
        status, until = "paused", decision.until
        reason = together(*decision.reasons) if not decision.active else node.obstacle
    elif node.contribute_wanted:
        listed = node.peer is not None and node.peer.bootstrap.state.published
        status = "on" if node.keeper.ready and listed else "starting"
        if status == "starting":  # the server may admit this machine's client, and not its node
            reason = (node.peer.bootstrap.state.reason if node.peer else "") or (say("contribute.loading"))
        if node.keeper.problem:
            status, reason = "failed", node.keeper.problem
        elif node.client is None:
            status, reason = "failed", say("contribute.no_network")
    return ContributingState(
        on=node.contribute_wanted,
        status=status,
        reason=reason,
        until=until,
        by_owner=node.contribute_wanted and node.governing.decision.by_owner,
        model=node.contributed_model,
        model_reason=choice.reason if choice is not None else "",
        better=choice.better if choice is not None else "",
        better_reason=choice.better_reason if choice is not None else "",
        answering=serving.answering if serving else 0,
        answered=node.served.answers,
        tokens=node.served.since_start,
        tokens_today=node.served.today,
        receipts_waiting=submission.waiting if submission else 0,
        receipts_confirmed=submission.confirmed if submission else 0,
        receipts_problem=submission.problem if submission else "",
    )


def model_states(
    local: Sequence[ModelInfo],
    directory: Directory | None,
    published: PublishedModels | None = None,
    reviewed: Collection[str] = (),
) -> list[ModelState]:
    """The models that can be asked, the local ones first. Of those of publishers, what they have signed and nobody
    else's files; ``reviewed``: ids of the models that the program itself knows."""
    network = directory.models() if directory else []
    here = {info.model_id: info for info in local}
    out = []
    for model_id in [*here, *(name for name in network if name not in here)]:
        own = here.get(model_id)
        nodes = directory.model_nodes(model_id) if directory else []
        served = [model for node in nodes for model in node.descriptor.models if model.model_id == model_id]
        said = published.get(model_id) if published is not None and is_publishers(model_id) else None
        if is_publishers(model_id):
            manifest = published.usable_manifest(model_id) if published is not None else None
            served = [model for model in served if manifest is not None and model.digest == manifest.digest]
        if own is None and not served:
            continue
        where: Literal["local", "network", "both"] = "network"
        if own is not None:
            where = "both" if served else "local"
        rates = [model.decode_rate for model in served if model.decode_rate] or [0.0]
        out.append(
            ModelState(
                id=model_id,
                where=where,
                nodes=len(served),
                context_length=own.context_length if own else served[0].context_length,
                tokens_per_s=own.decode_rate if own and own.decode_rate else sorted(rates)[len(rates) // 2],
                provider=own.provider if own else "",
                provider_reason=own.provider_reason if own else "",
                sampling=suited_sampling(model_id),
                publisher=said.record.publisher if said is not None else "",
                fingerprint=said.fingerprint if said is not None else "",
                reviewed=model_id.partition(":")[0] in reviewed,
                confirmed=published is None or published.is_confirmed(model_id),
            )
        )
    return out


def _worker(node: Node) -> ShownWorker:
    state = node.inference.state
    pid, restarts = node.inference.worker_pid() or 0, node.inference.restarts
    return ShownWorker(status=state.name, reason=state.reason, pid=pid, restarts=restarts)
