"""Who could find out who asked: the published metric, and what this network's own paths, guards and links give away.

Computed, not measured on a running network: :mod:`published` holds the formulas of others, :mod:`exposure` draws paths
as a client does and lets hostile relays refuse, :mod:`signaling` guesses the sender from the links that a bootstrap
server sees.
"""
