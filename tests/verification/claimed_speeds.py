"""A network of real processes in which one node claims four times its speed, until the committee has found out.

``python -m tests.verification.claimed_speeds --out FILE``, a part of ``make test-long-verification``. Bootstrap server,
four verifiers in one process, and two model nodes, of which each reads far less than this machine could.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.demo.verifiers import make_verifier_keys
from tests.support.network import Network, gentorrent

EPOCH_SECONDS = 60
READS = 50
CLAIMS = {"honest": READS, "overstating": 4 * READS}
TIMED_EVERY = 20.0
LONGEST = 1_500.0
"""Seconds for all of it."""


def run(folder: Path) -> dict[str, Any]:
    """What ``gentorrent committee status`` says in the end."""
    with Network(folder) as network:
        members = [option for key in make_verifier_keys(folder, 4) for option in ("--committee", key.hex())]
        network.found("--hops", "0", "--epoch-seconds", str(EPOCH_SECONDS), *members)
        arguments = ["--bootstrap", network.address, "--data"]
        names = {}
        for name, claims in CLAIMS.items():
            speeds = ["--reads", str(READS), "--claims", str(claims)]
            shown = gentorrent("identity", "show", "--data", str(folder / name))
            names[name] = shown.stdout
            network.processes.start(name, "tests.support.claiming_node", [*arguments, str(folder / name), *speeds])
        os.environ["TEST_TIMED_EVERY"] = str(TIMED_EVERY)
        network.processes.start(
            "verifiers", "tests.support.timing_verifiers", [*arguments, str(folder), "--count", "4"]
        )
        return _watch(network, names)


def _watch(network: Network, names: dict[str, str]) -> dict[str, Any]:
    begun, found = time.monotonic(), dict[str, Any]()
    while time.monotonic() < begun + LONGEST:
        time.sleep(EPOCH_SECONDS / 4)
        network.check()
        told = gentorrent("committee", "status", "--json", "--bootstrap", network.address)
        if told.returncode:
            continue
        status = json.loads(told.stdout)
        slower = {
            name: next(iter(one["tokens_per_s"].values()))
            for one in status["slower"]
            for name, text in names.items()
            if one["node"] in text
        }
        found = {"blocks": status["height"], "seconds": round(time.monotonic() - begun), "slower": slower}
        print(found, file=sys.stderr, flush=True)
        if "overstating" in slower:
            break
    chain = gentorrent("verify-chain", "--json", "--bootstrap", network.address)
    replayed = json.loads(chain.stdout)
    found |= {name: replayed[name] for name in ("holds", "speeds_measured", "judged", "excluded")}
    return {"reads": READS, "claims": CLAIMS, "epoch_seconds": EPOCH_SECONDS, **found}


def main() -> None:
    """Write what was found to ``--out``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        given.out.write_text(json.dumps(run(Path(folder)), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
