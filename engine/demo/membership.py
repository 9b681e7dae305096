"""What the demo's processes of several nodes share: how one of them belongs to the network."""

from __future__ import annotations

import sys

from engine.clock import Clock
from engine.node.presence import Membership
from engine.storage.data_directory import DataDirectory
from engine.storage.files import make_directory
from engine.transport.bootstrap_client import parse_bootstrap
from engine.transport.connectivity import Connectivity


def membership_of(bootstrap: str, directory: DataDirectory, clock: Clock) -> Membership:
    """Of a node whose state lies in ``directory``; what it has to say goes to the log."""
    address = parse_bootstrap(bootstrap)
    make_directory(directory.networks)
    return Membership(
        urls=address.urls,
        network_id=address.network_id,
        networks=directory.networks,
        clock=clock,
        changed=lambda: None,
        notice=lambda text: print(text, file=sys.stderr),
        connectivity=Connectivity(directory.networks / "connectivity.json", clock),
    )
