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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.api.schema import ChatDone, ChatStage, State
from engine.bootstrap.init import init_network
from engine.demo.control import Control, open_control
from engine.demo.processes import Processes
from engine.demo.story import Say, tell
from engine.errors import GenTorrentError, ReceiptError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.lifeline import run_on_loop
from engine.storage.data_directory import DataDirectory
from engine.verification.receipt_file import verify_export
from engine.wire.records import Parameters

RELAYS = 16
MODEL_NODES = 3
READY_SECONDS = 90.0
TRANSPORT = "webrtc"


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo measured; :meth:`report` is its JSON."""

    answer: str
    done: ChatDone
    receipt_verified: bool
    setup_s: float
    first_answer_s: float
    state: State

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
            "nodes": {"bootstrap": 1, "relay": RELAYS, "model": MODEL_NODES, "client": 1},
            "setup_s": round(self.setup_s, 2),
            "first_answer_s": round(self.first_answer_s, 2),
        }


def run_demo(question: str, *, json_output: bool, keep_running: bool, api_port: int = 0) -> int:
    """Run it; the exit code. Progress goes to stderr when JSON goes to stdout."""
    folder = Path(tempfile.mkdtemp(prefix="gentorrent-demo-"))
    code = 1

    async def main() -> None:
        nonlocal code
        task = asyncio.current_task()
        assert task is not None
        if sys.platform != "win32":  # SIGTERM ends it as Ctrl-C does: nothing is left behind
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with Processes(folder / "logs") as processes:
            await _course(folder, processes, question, json_output, keep_running, api_port)
            code = 0

    try:
        with contextlib.suppress(asyncio.CancelledError):
            run_on_loop(main())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def since_start() -> float:
    """Seconds since this process began."""
    return time.time() - float(psutil.Process().create_time())  # noqa: TID251 - the operating system's own time stamp


async def _course(
    folder: Path, processes: Processes, question: str, json_output: bool, keep_running: bool, api_port: int
) -> None:
    out = sys.stderr if json_output else sys.stdout

    def say(text: str = "", end: str = "\n") -> None:
        print(text, end=end, file=out, flush=True)

    say(f"Starting a network on this machine: 1 bootstrap server, {MODEL_NODES} model nodes, {RELAYS} relays, 1 client")
    _start_network(folder, processes, api_port)

    def check() -> None:
        if dead := processes.dead():
            raise GenTorrentError(f"A part of the demo ended by itself: {'; '.join(dead)}")
        if since_start() > READY_SECONDS:
            raise GenTorrentError(f"The demo's network was not ready after {READY_SECONDS:.0f} s; run it again.")

    async with open_control(DataDirectory(folder / "client"), check) as control:
        state = await _until_ready(control, check)
        setup = since_start()
        say(f"Ready after {setup:.1f} s: {state.network.paths} anonymous paths over {state.network.relays} relays\n")
        say(f"Question: {question}")
        result = await _ask(control, question, state, setup, json_output, say)
        if json_output:
            print(json.dumps(result.report(), indent=2), flush=True)
        else:
            tell(result.done, result.receipt_verified, setup, result.first_answer_s, processes.memory(), say)
        if keep_running:
            await _stay_up(folder, processes, state, say)


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


def _start_network(folder: Path, processes: Processes, api_port: int) -> None:
    parameters = Parameters(allow_loopback=True, one_prefix=True, snapshot_seconds=0.5)
    network = init_network(folder / "bootstrap", "demo", parameters)
    port = _free_port()
    address = f"http://127.0.0.1:{port}#{network.network_id.hex()}"
    processes.start(
        "bootstrap",
        "engine.cli",
        ["bootstrap", "--host", "127.0.0.1", "--port", str(port), "--data", str(folder / "bootstrap")],
    )
    processes.start(
        "relays",
        "engine.demo.relays",
        ["--bootstrap", address, "--data", str(folder / "relays"), "--count", str(RELAYS)],
    )
    for index in range(MODEL_NODES):
        name = f"model-{index + 1}"
        data, contribute = str(folder / name), ["--contribute", BUILTIN_MODEL]
        processes.start(name, "engine.cli", _node(address, data, 0, contribute))
    processes.start("client", "engine.cli", _node(address, str(folder / "client"), api_port, []))


def _node(address: str, data: str, api_port: int, more: list[str]) -> list[str]:
    return ["node", "--bootstrap", address, "--data", data, "--api-port", str(api_port), "--no-relay", *more]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _until_ready(control: Control, check: Callable[[], None]) -> State:
    """Wait for all paths, all relays and all model nodes."""
    while True:
        check()
        try:
            async with asyncio.timeout(1.0):
                await control.receive()
        except TimeoutError:
            continue
        state = control.state
        if state is None or state.network.status != "ready" or state.network.relays < RELAYS:
            continue
        if any(model.id == BUILTIN_MODEL and model.nodes == MODEL_NODES for model in state.models):
            return state


async def _ask(control: Control, question: str, state: State, setup: float, json_output: bool, say: Say) -> Result:
    pieces: list[str] = []

    def on_text(text: str) -> None:
        if not json_output:
            say(text if pieces else f"Answer:   {text}", end="")
        pieces.append(text)

    def on_stage(stage: ChatStage) -> None:
        if json_output and not pieces:
            say(f"  {stage.text or stage.stage}")

    done = await control.ask(BUILTIN_MODEL, question, on_text, on_stage)
    finished = since_start()
    say("")
    try:
        verify_export(done.receipt.encode(), bytes.fromhex(state.network.network_id))
        verified = done.badge in ("signed", "verified")
    except ReceiptError:
        verified = False
    return Result("".join(pieces), done, verified, setup, finished, state)
