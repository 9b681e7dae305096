"""What one mesh may do, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeshConfiguration:
    """What one mesh may do. ``allow_loopback`` is the parameter of the genesis file: links stay on 127.0.0.1."""

    is_client: bool = False
    allow_loopback: bool = False
    relayed_only: bool = False
    maximum_links: int = 400
    maximum_dials: int = 8
    maximum_answers: int = 32
    offers_per_minute: int = 600
    idle_timeout: float = 600.0


@dataclass(slots=True)
class MeshStatistics:
    """Counts since the start, and links now; no identities."""

    links: int = 0
    dials: int = 0
    dials_failed: int = 0
    offers_taken: int = 0
    offers_refused: int = 0
    links_opened: int = 0
    links_lost: int = 0
    links_moved: int = 0
    introductions: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    bytes_moved: int = 0  # sent and received
    sends_refused: int = 0
