"""Links to neighbours, over WebRTC or in memory, and the client of the bootstrap server.

It moves bytes between nodes whose identity it has checked. It knows nothing of circuits, cloves or requests: what the
bytes mean is decided by the machines of ``engine.paths``, which ``engine.node`` puts on top.
"""
