"""The network of ``gentorrent bench overlay``: a bootstrap server, relays, one model node and a client as processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from engine.bootstrap.init import init_network
from engine.demo.processes import Processes
from engine.errors import BenchmarkError
from engine.programs import module_command
from engine.wire.records import Parameters

RELAYS = 16
READY_SECONDS = 90.0
REPLY_SECONDS = 120.0
_STOP_SECONDS = 8.0


class Participant:
    """A process of a module in :mod:`engine.bench.drivers`; :meth:`ask` is one command and its reply."""

    def __init__(self, driver: str, role: str, bootstrap: str, folder: Path, *more: str) -> None:
        self.role = role
        self._log = folder / f"{role}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
        place = ["--bootstrap", bootstrap, "--data", str(folder / role)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module with our own arguments
                module_command(f"engine.bench.drivers.{driver}", role, *place, *more),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment | {"ORT_DISABLE_TELEMETRY": "1"},
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """The reply; :class:`BenchmarkError` when there is none, or it says that something failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        guard = threading.Timer(REPLY_SECONDS, self._process.kill)
        guard.start()
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            reply = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            reply = {"error": "its process ended, or did not reply"}
        finally:
            guard.cancel()
        if not isinstance(reply, dict) or "error" in reply:
            words = self._log.read_bytes()[-2000:].decode("utf-8", "replace").strip()
            what = reply["error"] if isinstance(reply, dict) else "a broken reply"
            raise BenchmarkError(f"The {self.role} of the benchmark's network failed: {what}. It wrote: {words}")
        return reply

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class OverlayNetwork:
    """The three that can be asked, and the process of the bootstrap server."""

    client: Participant
    model: Participant
    relays: Participant
    server: int | None = None

    def server_seconds(self) -> float:
        """Processor time of the server so far."""
        times = psutil.Process(self.server).cpu_times()
        return float(times.user + times.system)

    def counters(self) -> list[dict[str, Any]]:
        """Of all three."""
        return [one.ask("counters") for one in (self.client, self.model, self.relays)]


@contextmanager
def running_network(driver: str = "overlay", committee: Sequence[bytes] = ()) -> Iterator[OverlayNetwork]:
    """A network of processes of this driver that is ready to be asked; nothing of it is left afterwards. Where it has a
    ``committee`` (keys), model nodes keep what they sign."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gentorrent-bench-")))
        parameters = Parameters(allow_loopback=True, one_prefix=True, snapshot_seconds=0.5)
        network = init_network(folder / "bootstrap", "bench", parameters, committee=committee)
        port = _free_port()
        processes = stack.enter_context(Processes(folder))
        place = ["--host", "127.0.0.1", "--port", str(port), "--data", str(folder / "bootstrap")]
        server = processes.start("bootstrap", "engine.cli", ["bootstrap", *place])
        address = f"http://127.0.0.1:{port}#{network.network_id.hex()}"

        def participant(role: str, *more: str) -> Participant:
            one = Participant(driver, role, address, folder, *more)
            stack.callback(one.close)
            return one

        relays = participant("relays", "--count", str(RELAYS))
        found = OverlayNetwork(participant("client"), participant("model"), relays, server.pid)
        _wait(found)
        yield found


def _wait(network: OverlayNetwork) -> None:
    begun = time.monotonic()
    while time.monotonic() < begun + READY_SECONDS:
        client, model = network.client.ask("state"), network.model.ask("state")
        listed = client["relays"] >= RELAYS and client["serving"] == 1
        if listed and client["network"] == "ready" and model["contributing"] == "on":
            return
        time.sleep(0.2)
    raise BenchmarkError(
        f"The benchmark's network was not ready after {READY_SECONDS:.0f} s: the client says {client}. Close other "
        "programs and run it again."
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
