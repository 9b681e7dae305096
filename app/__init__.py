"""The GenTorrent window (Qt): one client of the engine's local API among others.

It starts, adopts and stops an engine process and shows what that engine says. It is not the engine: no network, model
or key handling happens in this process, and of ``engine`` it imports only the API's schema, the error tree and
``resource_path``.
"""
