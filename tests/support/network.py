"""Networks of real processes on this machine: what somebody would type, and the demo's relays.

Everything that is started here ends with the context manager, whatever happens in between.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import openai
import psutil

from engine.api.schema import SetContributing, State
from engine.clock import SystemClock
from engine.demo.control import open_control
from engine.demo.processes import Processes
from engine.ids import node_id_text
from engine.inference.models.installed import BUILTIN_MODEL
from engine.node.keys import NodeKeys
from engine.storage.data_directory import DataDirectory, load_api_token
from engine.storage.key_store import KeyStore

GENTORRENT = str(Path(sys.executable).with_name("gentorrent"))
"""The program as a user has it."""
QUIET = {"GENTORRENT_KEYRING": "off", "GENTORRENT_SENSORS": "false"}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without the settings of an engine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
    return kept | QUIET | more


def gentorrent(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [GENTORRENT, *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
    )


def gone(pids: set[int], seconds: float) -> set[int]:
    """Wait until all these processes have ended; those that have not."""
    deadline = time.monotonic() + seconds
    left = set(pids)
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if is_running(pid)}
        time.sleep(0.05)
    return left


def is_running(pid: int) -> bool:
    """Whether there is such a process that is more than a dead one's name."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def family(pid: int) -> set[int]:
    """A process and all that it has started."""
    try:
        process = psutil.Process(pid)
        return {pid, *(child.pid for child in process.children(recursive=True))}
    except psutil.Error:
        return set()


class Network:
    """A bootstrap server, relays, and nodes started by hand. Data and logs lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes = Processes(folder / "logs")
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.address = ""
        self.port = 0
        self._starts = 0

    def __enter__(self) -> Network:
        self.processes.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.__exit__(None, None, None)

    # Starting

    def data(self, name: str) -> DataDirectory:
        """The data directory of a node."""
        return DataDirectory(self.folder / name)

    def log(self, name: str) -> str:
        """What a process has written so far, over all its starts."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.folder / "logs").glob(f"{name}.*log")))

    def launch(self, name: str, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        """Start ``gentorrent ARGUMENTS``, with ``settings`` in its environment."""
        self._starts += 1
        self.children[name] = self.processes.launch(f"{name}.{self._starts}", [GENTORRENT, *arguments], settings)

    def found(self, *options: str) -> None:
        """Make a network for this machine and start its server, exactly as the documentation says."""
        self.port = free_port()
        where = ("--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.folder / "bootstrap"))
        made = gentorrent("bootstrap", "--init", "--name", "test", "--one-machine", *where, *options)
        assert made.returncode == 0, made.stderr
        if "--invited-only" in options:  # its members get the address with their invitations
            self.address = f"http://127.0.0.1:{self.port}"
        else:
            found = re.search(r"--bootstrap (http://\S+#[0-9a-f]{64})", made.stdout)
            assert found, made.stdout
            self.address = found[1]
        self.start_server()

    def invite(self, *options: str) -> str:
        """``gentorrent invite create`` in a private network: the invitation."""
        data = str(self.folder / "bootstrap")
        made = gentorrent("invite", "create", "--url", self.address, "--data", data, *options)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def join(self, name: str, invitation: str, *options: str) -> None:
        """``gentorrent node --join INVITATION``."""
        data = str(self.folder / name)
        self.launch(name, "node", "--join", invitation, "--data", data, "--api-port", "0", *options)

    def start_server(self) -> None:
        """Start the bootstrap server (again)."""
        data = str(self.folder / "bootstrap")
        self.launch("bootstrap", "bootstrap", "--host", "127.0.0.1", "--port", str(self.port), "--data", data)

    def until_served(self, seconds: float = 120.0) -> None:
        """Wait until the server takes connections, which nodes do by themselves."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def node(self, name: str, *options: str, settings: Mapping[str, str] | None = None) -> None:
        """``gentorrent node`` of this network, with a free API port."""
        where = ("--bootstrap", self.address, "--data", str(self.folder / name), "--api-port", "0")
        self.launch(name, "node", *where, *options, settings=settings)

    def relays(self, name: str, count: int) -> None:
        """``count`` relays in one process."""
        arguments = ["--bootstrap", self.address, "--data", str(self.folder / name), "--count", str(count)]
        self.children[name] = self.processes.start(name, "engine.demo.relays", arguments)

    # Ending

    def kill(self, name: str) -> None:
        """SIGKILL, and nothing else."""
        self.children[name].kill()
        self.children[name].wait(60)
        self._forget(name)

    def stop(self, name: str, patience: float = 60) -> float:
        """SIGTERM; the seconds that it took."""
        begun = time.monotonic()
        self.children[name].send_signal(signal.SIGTERM)
        self.children[name].wait(patience)
        self._forget(name)
        return time.monotonic() - begun

    def ended(self, name: str) -> None:
        """A process has ended by itself, and was meant to."""
        self._forget(name)

    def _forget(self, name: str) -> None:
        """A process that a test ends itself is not one that has died unexpectedly."""
        child = self.children.pop(name)
        for known in [key for key, value in self.processes._children.items() if value is child]:
            del self.processes._children[known]
        if child.stdin is not None:
            child.stdin.close()

    # Looking

    def check(self) -> None:
        """Fail when a process has ended by itself."""
        dead = self.processes.dead()
        assert not dead, dead

    def state(self, name: str) -> State:
        """The state of a node now."""
        return self.wait(name, lambda _: True, 60.0)

    def wait(self, name: str, wanted: Callable[[State], bool], seconds: float) -> State:
        """Wait for a state of a node; fails with the last one."""
        return asyncio.run(self._wait(name, wanted, seconds))

    async def _wait(self, name: str, wanted: Callable[[State], bool], seconds: float) -> State:
        control = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    with suppress(aiohttp.ClientConnectorError):  # the port of one that was killed
                        async with open_control(self.data(name), self.check) as control:
                            while control.state is None or not wanted(control.state):
                                await control.receive()
                            return control.state
                    await asyncio.sleep(0.1)
        except TimeoutError:
            last = control.state if control else None
            raise AssertionError(f"{name} is not as it should be after {seconds} s: {last}") from None

    def metric(self, name: str, series: str) -> float:
        """One figure of a node's /metrics."""
        address, token = self.state(name).api_address, load_api_token(self.data(name).api_token)
        request = urllib.request.Request(
            f"{address.removesuffix('/v1')}/metrics", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            text = reply.read().decode()
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
        assert found, text
        return float(found[1])

    def until(self, name: str, series: str, wanted: float, seconds: float = 120.0) -> None:
        """Wait until a figure has this value."""
        deadline = time.monotonic() + seconds
        while (value := self.metric(name, series)) != wanted:
            assert time.monotonic() < deadline, f"{series} is {value}, not {wanted}"
            time.sleep(0.3)

    def contribute(self, name: str, on: bool) -> None:
        """The owner's switch of a node."""

        async def turn() -> None:
            async with open_control(self.data(name), self.check) as control:
                await control.send(SetContributing(on=on))
                async with asyncio.timeout(60):
                    while control.state is None or control.state.contributing.on is not on:
                        await control.receive()

        asyncio.run(turn())

    def wait_ready(self, name: str, relays: int, models: int, seconds: float = 120.0) -> State:
        """Wait until a client has its paths and knows all relays and model nodes."""

        def ready(state: State) -> bool:
            served = [model.nodes for model in state.models if model.id == BUILTIN_MODEL]
            return (
                state.network.status == "ready"
                and state.network.relays >= relays
                and bool(served and served[0] >= models)
            )

        return self.wait(name, ready, seconds)

    def openai(self, name: str) -> openai.OpenAI:
        """The official client, set up with what lies in the node's data directory."""
        state = self.state(name)
        token = self.data(name).api_token.read_text().strip()
        return openai.OpenAI(base_url=state.api_address, api_key=token, max_retries=0, timeout=120)

    def node_id(self, name: str) -> str:
        """The node identity of a data directory (``relays/relay-0`` for those that share a process)."""
        os.environ["GENTORRENT_KEYRING"] = "off"
        try:
            store = KeyStore(self.data(name).keys, SystemClock())
            return node_id_text(NodeKeys(store).identity.node_id)
        finally:
            del os.environ["GENTORRENT_KEYRING"]

    def is_node(self, name: str, node_id: str) -> bool:
        """Whether ``gentorrent node`` of this name has this identity."""
        return self.data(name).keys.exists() and self.node_id(name) == node_id


@contextmanager
def direct_network(folder: Path) -> Iterator[Network]:
    """One whose server runs, and whose clients ask without relays."""
    with Network(folder) as made:
        made.found("--hops", "0")
        made.until_served()
        yield made


class Answer:
    """One streamed answer, read piece by piece. ``error`` holds what the client raised, if it did."""

    def __init__(self, client: openai.OpenAI, question: str, *, conversation: str = "", **parameters: object) -> None:
        self.pieces: list[str] = []
        self.error: openai.APIError | None = None
        self.extension: dict[str, object] = {}
        self.tokens = 0
        self.prompt_tokens = 0
        self.finish_reason = ""
        self.begun = time.monotonic()
        self.first = self.last = 0.0
        more = {"conversation": conversation, "receipt": True}
        more |= parameters.pop("gentorrent", {})  # type: ignore[call-overload]
        body: dict[str, object] = {"gentorrent": more}
        if "min_tokens" in parameters:
            body["min_tokens"] = parameters.pop("min_tokens")
        self._stream = client.chat.completions.create(
            model=str(parameters.pop("model", BUILTIN_MODEL)),
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=body,
            **parameters,  # type: ignore[call-overload]
        )

    @property
    def text(self) -> str:
        """What has arrived."""
        return "".join(self.pieces)

    @property
    def seconds(self) -> float:
        """From the first to the last piece."""
        return self.last - self.first

    def read(self, pieces: int | None = None) -> Answer:
        """Read until so many pieces of text have arrived in all, or to the end."""
        with suppress(StopIteration):
            try:
                while pieces is None or len(self.pieces) < pieces:
                    self._take(next(self._stream))
            except openai.APIError as error:
                self.error = error
        return self

    def _take(self, chunk: openai.types.chat.ChatCompletionChunk) -> None:
        if chunk.usage is not None:
            self.tokens, self.prompt_tokens = chunk.usage.completion_tokens, chunk.usage.prompt_tokens
        for choice in chunk.choices:
            if choice.delta.content:
                self.last = time.monotonic()
                self.first = self.first or self.last
                self.pieces.append(choice.delta.content)
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
                self.extension = (chunk.model_extra or {}).get("gentorrent", {})

    @property
    def paths(self) -> list[list[str]]:
        """The relays that carried it."""
        found = self.extension["paths"]
        assert isinstance(found, list)
        return found
