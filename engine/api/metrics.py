"""Counters of the local API in Prometheus' text format. They count; they hold no prompt, answer, model or client."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """What the API measures. ``registry`` may be shared with the node, which adds its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.requests = Counter(
            "gentorrent_api_requests", "HTTP requests by status", ["status"], registry=self.registry
        )
        self.running = Gauge("gentorrent_api_answers_running", "Answers under way", registry=self.registry)
        self.tokens = Counter("gentorrent_api_tokens", "Tokens delivered", registry=self.registry)
        self.ttft = Histogram(
            "gentorrent_api_ttft_seconds",
            "Seconds from request to first token",
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
            registry=self.registry,
        )
        self.control_clients = Gauge(
            "gentorrent_api_control_clients", "Open control connections", registry=self.registry
        )

    def text(self) -> bytes:
        """The exposition of everything in the registry."""
        return generate_latest(self.registry)
