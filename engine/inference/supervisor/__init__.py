"""The engine's side of the worker: start, watch, restart, resume answers, give memory back. It runs no model."""
