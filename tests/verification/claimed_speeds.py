"""A network of real processes in which one node claims four times its speed, until the committee has found out.

``python -m tests.verification.claimed_speeds --out FILE``, a part of ``make test-long-verification``. Bootstrap server,
four verifiers in one process, and two model nodes, of which each reads far less than this machine could.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from engine.demo.identities import node_identity
from engine.demo.verifiers import make_verifier_keys
from engine.storage.data_directory import DataDirectory
from engine.wire.blocks import Standings, signed_standings_decoder, standings_decoder
from tests.support.network import GENTORRENT, Network

EPOCH_SECONDS = 60
READS = 50
CLAIMS = {"honest": READS, "overstating": 4 * READS}
TIMED_EVERY = 20.0
LONGEST = 2_400.0
"""Seconds for all of it."""


def run(folder: Path) -> dict[str, Any]:
    """What was found, and what ``gentorrent verify-chain`` says in the end."""
    with Network(folder) as network:
        members = [option for key in make_verifier_keys(folder, 4) for option in ("--committee", key.hex())]
        network.found("--hops", "0", "--epoch-seconds", str(EPOCH_SECONDS), *members)
        arguments = ["--bootstrap", network.address, "--data"]
        nodes = {}
        for name, claims in CLAIMS.items():
            speeds = ["--reads", str(READS), "--claims", str(claims)]
            nodes[bytes(node_identity(DataDirectory(folder / name)).node_id)] = name
            network.processes.start(name, "tests.support.claiming_node", [*arguments, str(folder / name), *speeds])
        os.environ["TEST_TIMED_EVERY"] = str(TIMED_EVERY)
        network.processes.start(
            "verifiers", "tests.support.timing_verifiers", [*arguments, str(folder), "--count", "4"]
        )
        return {"reads": READS, "claims": CLAIMS, "epoch_seconds": EPOCH_SECONDS} | _watch(network, nodes)


def _watch(network: Network, nodes: dict[bytes, str]) -> dict[str, Any]:
    """Until somebody was found slower than it says; ``nodes``: their ids and names."""
    begun, found = time.monotonic(), dict[str, Any]()
    while time.monotonic() < begun + LONGEST and "overstating" not in found.get("slower", {}):
        time.sleep(EPOCH_SECONDS / 4)
        network.check()
        standings = _standings(network)
        if standings is not None:
            slower = {nodes[one.node_id]: one.slower[0][1] for one in standings.nodes if one.slower}
            found = {"blocks": standings.height, "seconds": round(time.monotonic() - begun), "slower": slower}
            print(found, file=sys.stderr, flush=True)
    replay = [GENTORRENT, "verify-chain", "--json", "--bootstrap", network.address]
    chain = subprocess.run(replay, capture_output=True, text=True, check=True, timeout=300)
    told = json.loads(chain.stdout)
    return found | {name: told[name] for name in ("holds", "speeds_measured", "judged", "excluded")}


def _standings(network: Network) -> Standings | None:
    """The newest; None while there are none, or the server is too busy."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{network.port}/v1/standings", timeout=30) as answer:
            return standings_decoder.decode(signed_standings_decoder.decode(answer.read()).standings)
    except OSError:
        return None


def main() -> None:
    """Write what was found to ``--out``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        given.out.write_text(json.dumps(run(Path(folder)), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
