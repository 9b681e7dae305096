"""``gentorrent demo``: a whole network as processes on this machine, and a question through it. Not part of an engine.

Nothing is pretended: the processes are those of ``gentorrent bootstrap`` and ``gentorrent node``, only that the relays
share one; every link is a WebRTC connection on 127.0.0.1.
"""
