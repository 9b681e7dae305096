"""A window whose engine is played: it takes every request and says what it is told to say."""

from __future__ import annotations

from collections.abc import Sequence

from app.desktop import Desktop
from app.engine_link import EngineLink, EngineStatus
from engine.api import schema

NODES = tuple(f"{letter}7wq2mzt5pab3c" for letter in "kfnvtbqxyzdgh")


class PlayedLink(EngineLink):
    """An engine that takes everything and says what a picture needs."""

    def send(self, request: schema.Request) -> bool:
        return True

    def connect_at_once(self) -> None:
        """As if a connection stood."""
        self._tell(EngineStatus("connected", "The engine is running", owned=True, adopted=True))


def play(desktop: Desktop, *events: schema.Event) -> None:
    """Let the engine of ``desktop`` say ``events``."""
    assert isinstance(desktop.link, PlayedLink)
    desktop.link.connect_at_once()
    for event in events:
        desktop.link.event_received.emit(event)


class NoAutostart:
    """The machine that draws is left as it is."""

    def enabled(self) -> bool:
        return False

    def enable(self, command: Sequence[str]) -> None:
        raise OSError("not while drawing")

    def disable(self) -> None:
        raise OSError("not while drawing")


def state(network: bool = True, contributing: bool = True) -> schema.State:
    """What an engine says in a healthy network, or without one."""
    here = schema.ModelState(
        id="gentorrent-builtin", where="both" if network else "local", nodes=3 if network else 0, context_length=2048,
        tokens_per_s=48, provider="CPUExecutionProvider" if contributing else "",
    )  # fmt: skip
    others = (
        schema.ModelState(
            id="Qwen3-8B-Instruct", where="network", nodes=12, context_length=32_768, tokens_per_s=61, wait=1.4
        ),
        schema.ModelState(
            id="Llama-3.3-70B-Instruct", where="network", nodes=4, context_length=131_072, tokens_per_s=23, wait=6.2
        ),
        schema.ModelState(id="Mistral-Small-24B", where="network", nodes=2, context_length=32_768, tokens_per_s=38),
    )
    return schema.State(
        engine_version="0.1.0",
        api_address="http://127.0.0.1:8765/v1",
        data_directory="/home/ada/.local/share/GenTorrent",
        started=1_790_000_000.0,
        network=schema.NetworkState(
            status="ready", name="open-lab", network_id="5f3c" * 16, bootstrap="https://bootstrap.example.org",
            bootstrap_connected=True, bootstrap_used="https://bootstrap.example.org", bootstrap_since=1_790_000_040.0,
            listed_since=1_790_000_100.0, nodes=214, relays=168, links=14, links_relayed=1, nat="endpoint-independent",
            turn_server="turns:turn.example.org:5349", paths=4, paths_wanted=4, hops_wanted=3,
        )
        if network
        else schema.NetworkState(status="none"),
        contributing=schema.ContributingState(
            on=True, status="on", model="gentorrent-builtin", answering=2, answered=1184, tokens=362_400,
            receipts_confirmed=1162,
        )
        if contributing
        else schema.ContributingState(on=False, status="off"),
        relay=schema.RelayState(on=True, circuits=31 if network else 0),
        worker=schema.WorkerState(status="ready"),
        models=(here, *others) if network else (here,),
        node_id=NODES[0] * 3,
        key_storage="keyring",
    )  # fmt: skip


def topology(links: int) -> schema.Topology:
    """A place in a network with so many links."""
    peers = [f"{NODES[at % len(NODES)][: 8 - len(str(at))]}{at}{'a' * 20}" for at in range(links)]
    return schema.Topology(
        links=tuple(
            schema.OwnLink(
                peer=peer, holder="client" if at < 8 else "node", round_trip_ms=9 + at * 7 % 90, relayed=at % 11 == 5
            )
            for at, peer in enumerate(peers)
        ),
        paths=tuple(
            schema.OwnPath(
                relays=(peers[at], NODES[at], NODES[(at + 5) % len(NODES)]), use="open" if at < 4 else "spare",
                busy=at < 4, round_trip_ms=80 + 13 * at,
            )
            for at in range(7)
        ),
        members=tuple(
            schema.GroupMember(
                node=node, model="gentorrent-builtin", here=at == 0, running=at, slots=4, round_trip_ms=14 * at,
                standing=1 - at / 10, established=at < 4,
            )
            for at, node in enumerate(NODES[8:13])
        ),
    )  # fmt: skip
