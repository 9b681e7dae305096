"""The demo's course: start everything, wait until the network is ready, ask, show what happened, end everything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from engine.api.schema import ChatDone, ChatStage, State
from engine.bootstrap.init import init_network
from engine.clock import SystemClock
from engine.demo.cheats import CHEATS, NO_CHEAT
from engine.demo.control import Control, open_control
from engine.demo.following import Cheater, Following, Found, tell_shares, who_answers
from engine.demo.identities import node_identity
from engine.demo.pace import LOOK_SECONDS, epoch_seconds, processors
from engine.demo.processes import Processes
from engine.demo.story import Say, tell, tell_cheat, tell_committee, tell_exclusion
from engine.demo.verifiers import make_verifier_keys
from engine.directory.genesis import GenesisRecord
from engine.errors import GenTorrentError, ReceiptError, StorageError
from engine.ids import NodeId, short_id
from engine.inference.models.installed import BUILTIN_MODEL
from engine.lifeline import run_on_loop
from engine.storage.data_directory import DataDirectory
from engine.verification.receipt_file import verify_export
from engine.wire.records import Parameters

RELAYS = 16
MODEL_NODES = 3
VERIFIERS = 4
MOST_EPOCHS = 30
"""So long a dishonest node is waited for."""
QUESTIONS = 8
"""Whose answers show how questions are shared out."""
NEWS_SECONDS = 2.0
"""Until the client knows of a new block: a snapshot names it, then it is fetched."""
READY_SECONDS = 90.0
TRANSPORT = "webrtc"
SPACE = 64_000_000
"""Bytes on the disk: a cheat's model, keys, logs, and what the nodes keep."""
SHORT_LOOK_SECONDS = 0.1
"""At the processors where nobody waits for the committee."""
LEAST_SPACE = 1_000_000
"""Where less is left, a process has ended for that."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo measured; :meth:`report` is its JSON."""

    answer: str
    done: ChatDone
    receipt_verified: bool
    setup_s: float
    first_answer_s: float
    state: State
    found: Found | None = None

    def report(self) -> dict[str, object]:
        """The documented keys."""
        return {
            "answer": self.answer,
            "model": self.done.model,
            "served_by": self.done.served_by,
            "paths": [list(path) for path in self.done.paths],
            "n": self.done.n,
            "k": self.done.k,
            "ttft_ms": round(self.done.ttft_ms, 1),
            "tokens": self.done.completion_tokens,
            "tokens_per_s": round(self.done.tokens_per_s, 1),
            "receipt_verified": self.receipt_verified,
            "transport": TRANSPORT,
            "nodes": {"bootstrap": 1, "relay": RELAYS, "model": MODEL_NODES, "verifier": VERIFIERS, "client": 1},
            "setup_s": round(self.setup_s, 2),
            "first_answer_s": round(self.first_answer_s, 2),
            **(self.found.report() if self.found is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo is to do. ``cheat``: a name of ``engine.demo.cheats``, or "none"."""

    question: str
    json_output: bool = False
    keep_running: bool = False
    api_port: int = 0
    cheat: str = NO_CHEAT

    def say(self, text: str = "", end: str = "\n") -> None:
        """Progress goes to stderr when JSON goes to stdout."""
        print(text, end=end, file=sys.stderr if self.json_output else sys.stdout, flush=True)


def run_demo(options: Options) -> int:
    """Run it; the exit code: 1 also where a dishonest node was not found out."""
    with _temporary_folder() as folder:
        return _run_in(folder, options)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Removed at the end, whatever happens in it; a second Ctrl-C leaves nothing behind."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="gentorrent-demo-"))
    except OSError as error:
        raise StorageError(
            f"The demo cannot make its folder in {tempfile.gettempdir()}: {error.strerror}. Free some space there, or "
            "name another place with TMPDIR."
        ) from error
    try:
        check_space(folder, SPACE)
        yield folder
    finally:
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGINT, previous)


def check_space(folder: Path, wanted: int) -> None:
    """``StorageError`` if there are not so many bytes left: programs that cannot write cannot say so either."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise StorageError(
            f"The disk of {folder.parent} is full: {free / 1e6:.1f} MB are free, the demo needs {SPACE / 1e6:.0f} MB "
            "for its time. Free some space there, or name another place with TMPDIR."
        )


def _run_in(folder: Path, options: Options) -> int:
    code = 1

    async def main() -> None:
        nonlocal code
        task = asyncio.current_task()
        assert task is not None
        if sys.platform != "win32":  # SIGTERM ends it as Ctrl-C does: nothing is left behind
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with Processes(folder / "logs") as processes:
            code = await _course(folder, processes, options)

    with contextlib.suppress(asyncio.CancelledError):
        run_on_loop(main())
    return code


def since_start() -> float:
    """Seconds since this process began."""
    return time.time() - float(psutil.Process().create_time())  # noqa: TID251 - the operating system's own time stamp


async def _course(folder: Path, processes: Processes, options: Options) -> int:
    say = options.say
    say(
        f"Starting a network on this machine: 1 bootstrap server, {MODEL_NODES} model nodes, {RELAYS} relays, "
        f"{VERIFIERS} verifiers, 1 client"
    )
    started = _start_network(folder, processes, options)

    def check() -> None:
        if dead := processes.dead():
            check_space(folder, LEAST_SPACE)
            raise GenTorrentError(f"A part of the demo ended by itself: {'; '.join(dead)}")

    def check_start() -> None:
        check()
        if since_start() > READY_SECONDS:
            raise GenTorrentError(f"The demo's network was not ready after {READY_SECONDS:.0f} s; run it again.")

    async with open_control(DataDirectory(folder / "client"), check_start) as control:
        state = await _until(control, check_start, _is_ready)
        setup = since_start()
        say(f"Ready after {setup:.1f} s: {state.network.paths} anonymous paths over {state.network.relays} relays\n")
        say(f"Question: {options.question}")
        result = await _ask(control, state, setup, options)
        if not options.json_output:
            tell(result.done, result.receipt_verified, setup, result.first_answer_s, processes.memory(), say)
        processes.start("verifiers", "engine.demo.verifiers", started.several("verifiers", VERIFIERS))
        await _until(control, check, lambda state: state.network.nodes >= RELAYS + MODEL_NODES + VERIFIERS)
        tell_committee(VERIFIERS, started.epoch_seconds, say)
        if started.cheater is not None:
            found = await _judge(control, started, started.cheater, say, check)
            if not options.keep_running:
                await asyncio.to_thread(processes.end, "verifiers")  # the machine is the client's for its questions
            if found.excluded_at is not None:
                found.after = await who_answers(control, BUILTIN_MODEL, QUESTIONS)
                tell_shares(found.after, started.names, "after", say)
            result = replace(result, found=found)
        if options.json_output:
            print(json.dumps(result.report(), indent=2), flush=True)
        if options.keep_running:
            await _stay_up(folder, processes, state, say)
    return 0 if result.found is None or result.found.excluded_at is not None else 1


async def _judge(control: Control, started: Started, cheater: Cheater, say: Say, check: Callable[[], None]) -> Found:
    """See who answers, and wait until the committee excludes the dishonest node."""
    found = Found(cheater, started.epoch_seconds)
    name = started.names[cheater.node]
    named = started.names | {cheater.node: f"{name} (cheats)"}
    following = Following(started.genesis, started.url, named, say)
    tell_cheat(name, cheater.says, say)
    found.before = await who_answers(control, BUILTIN_MODEL, QUESTIONS)
    tell_shares(found.before, started.names, "before", say)
    try:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(control.keep_reading())
            found.excluded_at = await following.until_excluded(cheater.node, SystemClock().wall, MOST_EPOCHS, check)
            if found.excluded_at is not None:
                await asyncio.sleep(NEWS_SECONDS)
            reading.cancel()
    except ExceptionGroup as failures:  # the client has closed its connection, or a part has ended: one says enough
        check()
        raise failures.exceptions[0] from None
    found.honest_excluded = len(following.excluded() - {cheater.node})
    found.first_checked = following.first_checked.get(cheater.node)
    if found.excluded_at is None:
        say(f"{name} was not found out within {MOST_EPOCHS} epochs. On a machine with more to spare, run it again.")
        return found
    tell_exclusion(name, found.excluded_at, found.first_checked, found.honest_excluded, say)
    return found


async def _stay_up(folder: Path, processes: Processes, state: State, say: Say) -> None:
    """Print what others need to use the network, and watch over it until Ctrl-C."""
    token = DataDirectory(folder / "client").api_token.read_text().strip()
    say(f"\nThe network stays up. OpenAI-compatible API: {state.api_address}")
    say(f"Token: {token}")
    say(f"Join it with --bootstrap {state.network.bootstrap}#{state.network.network_id}")
    say("Ctrl-C ends it.")
    while True:
        if dead := processes.dead():
            raise GenTorrentError(f"A part of the demo ended by itself: {'; '.join(dead)}")
        await asyncio.sleep(1.0)


@dataclass(slots=True)
class Started:
    """The network that was started. ``names`` of the model nodes, for people."""

    folder: Path
    genesis: GenesisRecord
    epoch_seconds: float
    url: str
    names: dict[NodeId, str] = field(default_factory=dict)
    cheater: Cheater | None = None

    @property
    def address(self) -> str:
        """What ``--bootstrap`` takes."""
        return f"{self.url}#{self.genesis.network_id.hex()}"

    def several(self, name: str, count: int) -> list[str]:
        """The arguments of a process with several nodes."""
        return ["--bootstrap", self.address, "--data", str(self.folder / name), "--count", str(count)]


def _start_network(folder: Path, processes: Processes, options: Options) -> Started:
    """Everything but the verifiers, which begin when the question is answered: nobody shall wait for them."""
    length = epoch_seconds(processors(LOOK_SECONDS if options.cheat != NO_CHEAT else SHORT_LOOK_SECONDS))
    parameters = Parameters(allow_loopback=True, one_prefix=True, snapshot_seconds=0.5, epoch_seconds=length)
    committee = make_verifier_keys(folder / "verifiers", VERIFIERS)
    network = init_network(folder / "bootstrap", "demo", parameters, committee=committee)
    port = _free_port()
    started = Started(folder, network.genesis, length, f"http://127.0.0.1:{port}")
    server = ["bootstrap", "--host", "127.0.0.1", "--port", str(port), "--data", str(folder / "bootstrap")]
    processes.start("bootstrap", "engine.cli", server)
    processes.start("relays", "engine.demo.relays", started.several("relays", RELAYS))
    for index in range(MODEL_NODES):
        _start_model_node(started, processes, index, options.cheat)
    client = _node(started.address, str(folder / "client"), options.api_port, [])
    processes.start("client", "engine.cli", client)
    return started


def _start_model_node(started: Started, processes: Processes, index: int, cheat: str) -> None:
    """The last one cheats, if one does. Then each answers what it is asked: who is asked is who is checked."""
    name = f"model-{index + 1}"
    data = started.folder / name
    node = node_identity(DataDirectory(data)).node_id
    started.names[node] = f"model node {short_id(node)}"
    if cheat != NO_CHEAT and index == MODEL_NODES - 1:
        started.cheater = Cheater(node, CHEATS[cheat])
        dishonest = ["--cheat", cheat, "--bootstrap", started.address, "--data", str(data)]
        processes.start(name, "engine.demo.cheating_node", dishonest)
        return
    more = ["--contribute", BUILTIN_MODEL, *(["--forwarding-policy", "none"] if cheat != NO_CHEAT else [])]
    processes.start(name, "engine.cli", _node(started.address, str(data), 0, more))


def _node(address: str, data: str, api_port: int, more: list[str]) -> list[str]:
    return ["node", "--bootstrap", address, "--data", data, "--api-port", str(api_port), "--no-relay", *more]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until(control: Control, check: Callable[[], None], condition: Callable[[State], bool]) -> State:
    """Wait until the client's state is so."""
    while control.state is None or not condition(control.state):
        check()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await control.receive()
    return control.state


def _is_ready(state: State) -> bool:
    """All paths, all relays and all model nodes."""
    return (
        state.network.status == "ready"
        and state.network.relays >= RELAYS
        and any(model.id == BUILTIN_MODEL and model.nodes == MODEL_NODES for model in state.models)
    )


async def _ask(control: Control, state: State, setup: float, options: Options) -> Result:
    pieces: list[str] = []
    say, json_output = options.say, options.json_output

    def on_text(text: str) -> None:
        if not json_output:
            say(text if pieces else f"Answer:   {text}", end="")
        pieces.append(text)

    def on_stage(stage: ChatStage) -> None:
        if json_output and not pieces:
            say(f"  {stage.text or stage.stage}")

    done = await control.ask(BUILTIN_MODEL, options.question, on_text, on_stage)
    finished = since_start()
    say("")
    try:
        verify_export(done.receipt.encode(), bytes.fromhex(state.network.network_id))
        verified = done.badge in ("signed", "verified")
    except ReceiptError:
        verified = False
    return Result("".join(pieces), done, verified, setup, finished, state)
