"""What everybody in a network agrees on: genesis, descriptors, the signed directory, and drawing from it. Pure.

It is not the bootstrap server (``engine.bootstrap`` collects and signs), not its client
(``engine.transport.bootstrap_client`` fetches) and not the paths themselves (``engine.paths``): bytes, keys, time and
randomness come in as arguments, records and decisions come out.
"""

CLOCK_SKEW_SECONDS = 120.0
"""Seconds by which two honest clocks may differ."""
