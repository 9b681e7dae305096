"""What pages show about the engine, as plain values: numbers with their names, names with their values."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import mark, number, tr
from app.models.catalogue import provider_words
from app.models.engine_words import from_engine
from engine.api import schema


@dataclass(frozen=True, slots=True)
class Figure:
    """A number to be read from afar, and what it counts; ``hint``: what that means, where one rests on it."""

    value: str
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """``copy``: what a button puts on the clipboard; empty: no button."""

    name: str
    value: str
    copy: str = ""


_NAT = {
    "none": mark("None in the way"),
    "endpoint-independent": mark("Lets links through"),
    "endpoint-dependent": mark("Strict: some links need the network's TURN server"),
    "unknown": mark("Of an unknown kind"),
}
_KEYS = {
    "keyring": mark("In the system's keyring"),
    "encrypted file": mark("In an encrypted file"),
    "plain file": mark("In a file that is not encrypted"),
}
_SHORT = 16


def contributing_figures(now: schema.ContributingState) -> list[Figure]:
    """What this machine does for others, as far as the engine counts it (since its start)."""
    return [
        Figure(number(now.answering), tr("answering now")),
        Figure(number(now.answered), tr("answered since the start")),
        Figure(number(now.tokens_today), tr("tokens today")),
        Figure(number(now.tokens), tr("tokens since the start")),
        Figure(number(now.receipts_confirmed), tr("receipts confirmed in two days")),
    ]


def contributing_facts(state: schema.State) -> list[Fact]:
    """With what this machine answers, and how it stands with the receipts."""
    now = state.contributing
    facts = [Fact(tr("Model"), now.model)] if now.model else []
    here = next((model for model in state.models if model.id == now.model and model.provider), None)
    if here is not None:
        facts.append(
            Fact(
                tr("Computes on"),
                " · ".join(filter(None, (provider_words(here.provider), from_engine(here, "provider_reason")))),
            )
        )
    if now.receipts_waiting:
        facts.append(Fact(tr("Receipts"), tr("%Ln epoch(s) wait for the server", "", now.receipts_waiting)))
    if now.receipts_problem:
        facts.append(Fact(tr("Receipts"), from_engine(now, "receipts_problem")))
    return facts


def network_figures(network: schema.NetworkState) -> list[Figure]:
    """How large the network is and how well this machine is in it."""
    paths = tr("{paths} of {wanted}", paths=number(network.paths), wanted=number(network.paths_wanted))
    return [
        Figure(paths, tr("paths ready")),
        Figure(number(network.relays), tr("relays")),
        Figure(number(network.nodes), tr("nodes listed")),
        Figure(number(network.links), tr("links of this machine")),
    ]


def network_facts(state: schema.State) -> list[Fact]:
    """Everything else that the engine says about the network."""
    network = state.network
    if network.status == "none":
        return []
    server = tr("connected") if network.bootstrap_connected else tr("not connected")
    used = (network.bootstrap_connected and network.bootstrap_used) or network.bootstrap
    others = [url for url in (network.bootstrap, *network.bootstrap_others) if url != used]
    facts = [Fact(tr("Bootstrap server"), f"{used} · {server}", used)]
    if others:
        facts.append(Fact(tr("Further servers"), ", ".join(others)))
    if network.network_id:
        facts.append(Fact(tr("Network id"), f"{network.network_id[:_SHORT]}…", network.network_id))
    if network.direct:
        facts.append(Fact(tr("Your questions"), tr("Go without relays, as you accepted")))
    elif network.hops_wanted:
        text = tr("%Ln relay(s) on each path", "", network.hops_wanted)
        facts.append(Fact(tr("Your questions"), text))
    if network.nat:
        facts.append(Fact(tr("Router"), tr(_NAT.get(network.nat, network.nat))))
    if network.udp_blocked:
        facts.append(Fact(tr("UDP"), tr("Blocked here: links go through TCP")))
    if network.turn_server:
        relayed = tr("%Ln link(s) through it", "", network.links_relayed)
        facts.append(Fact(tr("TURN server"), f"{network.turn_server} · {relayed}"))
    if network.relayed_only:
        facts.append(Fact(tr("Your address"), tr("Hidden from neighbours: all links go through the TURN server")))
    return facts


def machine_facts(state: schema.State) -> list[Fact]:
    """What stands for this machine: for the owner, for other programs, for a bug report."""
    facts = [Fact(tr("Node id"), f"{state.node_id[:_SHORT]}…", state.node_id)] if state.node_id else []
    if state.key_storage:
        facts.append(Fact(tr("Keys", "of the identity"), tr(_KEYS.get(state.key_storage, state.key_storage))))
    if state.api_address:
        facts.append(Fact(tr("Local API"), state.api_address, state.api_address))
    facts.append(Fact(tr("Engine"), state.engine_version))
    return facts


def relay_words(relay: schema.RelayState) -> tuple[str, str, str]:
    """(tone, state, reason) of passing on other people's traffic."""
    if not relay.on:
        return "neutral", tr("Off"), tr("No traffic of other people passes through this machine.")
    if relay.refused:
        return "warning", tr("Not possible"), from_engine(relay, "reason")
    if relay.reason:
        return "busy", tr("Waiting"), from_engine(relay, "reason")
    return "good", tr("On"), tr("%Ln circuit(s) of other people pass through this machine now.", "", relay.circuits)
