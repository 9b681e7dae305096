"""Counters for the operator: numbers only, nothing about single nodes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """A registry of its own, so that several servers can live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.sessions = self._gauge("sessions", "Logged-in nodes")
        self.listed = self._gauge("listed_nodes", "Nodes in the directory")
        self.away = self._gauge("away_nodes", "Listed nodes that are marked away")
        self.epoch = self._gauge("directory_epoch", "Number of the newest snapshot")
        self.directory_bytes = self._gauge("directory_bytes", "Length of the newest snapshot")
        self.logins = self._counter("logins", "Logins by outcome", "outcome")
        self.messages = self._counter("messages", "Messages from nodes by kind", "kind")
        self.publications = self._counter("publications", "Descriptors by outcome", "outcome")
        self.signals = self._counter("signals", "Signals by outcome", "outcome")
        self.ice_answers = self._counter("ice_answers", "Lists of STUN and TURN servers by outcome", "outcome")
        self.refused_connections = self._counter("refused_connections", "Connections refused by reason", "reason")
        self.cut_sessions = self._counter("cut_sessions", "Sessions that the server ended, by reason", "reason")
        self.chain_records = self._counter(
            "chain_records", "Records for the chain by kind and outcome", "kind", "outcome"
        )
        self.contradictions = self._counter("contradictions", "Contradictions that were shown, by kind", "kind")
        self.chain_height = self._gauge("chain_height", "Height of the committee's newest block")
        self.storage_failures = self._counter("storage_failures", "Writes that the database refused")

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"gentorrent_bootstrap_{name}", help_text, registry=self._registry)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"gentorrent_bootstrap_{name}", help_text, labels, registry=self._registry)
