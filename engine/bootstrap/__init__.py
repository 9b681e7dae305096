"""The bootstrap server of a network: signaling between nodes, descriptor intake, the signed directory. I/O.

It is a service of its own, not a role of an engine: it sees no prompts, no answers and no paths, holds only its own
signing key, and running chats go on without it. ``run_server`` (server.py) serves what ``init_network`` (init.py) made.
"""
