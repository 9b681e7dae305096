"""Anonymous paths: circuits over relays, cells, proxies and the client's end of them. Pure (sans-I/O machines).

It is not the transport: machines are handed what arrived and the time, and return effects that a driver carries out.
It does not choose relays either; who belongs on a path is decided by whoever opens it. ``docs/protocol.md`` specifies
what crosses the links.
"""
