"""A group of model nodes in simulated time: who answers which request, how soon, and out of whose cache.

The pure code is the real one: prefix caches and their memory (``engine.inference.scheduling``), what members know of
each other and how they choose (``engine.forwarding``). Simulated are the GPU (``node``), the network between members
and the clients (``network``), and the requests (``trace``, ``generated``). Paths and relays do not appear: they are the
same whoever serves.

It computes no tokens and opens no links.
"""
