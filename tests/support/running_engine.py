"""A real engine process without a network."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import openai

from engine.api import schema
from engine.storage.data_directory import DataDirectory, read_lock

COMMAND = [sys.executable, "-c", "from engine.cli import main; main()"]
ROOT = Path(__file__).resolve().parents[2]


class Engine:
    """A running engine and its address."""

    def __init__(self, directory: DataDirectory, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.process = process

    @property
    def address(self) -> schema.EngineAddress:
        return schema.address_decoder.decode(self.directory.lock.read_bytes())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address.port}"

    @property
    def token(self) -> str:
        return self.directory.api_token.read_text().strip()

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.token, max_retries=0, timeout=120)


@contextlib.contextmanager
def running(data: Path) -> Iterator[Engine]:
    directory = DataDirectory(data)
    command = [*COMMAND, "node", "--data", str(data), "--api-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 120
            while (lock := read_lock(directory.lock)) is None or lock.port == 0:
                assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
                assert time.monotonic() < deadline, "the engine does not start"
                time.sleep(0.05)
            yield Engine(directory, process)
        finally:
            process.kill()
