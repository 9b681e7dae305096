"""The bounds of one relay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Bounds of one relay (counts, seconds, bytes)."""

    max_circuits: int = 4096
    max_circuits_per_client: int = 128
    max_circuits_per_relay: int = 1024
    """Accepted from one neighbour; a client's link is not shared by others, a relay's is."""
    set_ups_per_second: float = 20.0
    set_up_burst: float = 100.0
    """Of one link."""
    all_set_ups_per_second: float = 100.0
    all_set_up_burst: float = 400.0
    """Of all links together; about 0.1 ms of a core each."""
    replay_tags: int = 250_000
    max_reply_timeout: float = 30.0
    idle_timeout: float = 600.0
    max_proxy_queue_bytes: int = 512 * 1024
    """Per circuit, of answers that wait for the client's window."""
    max_held_cells: int = 100_000
    """Of all circuits together, whatever they wait for (about 110 MB)."""
