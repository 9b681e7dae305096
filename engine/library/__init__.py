"""The models that this machine has and could have: the catalogue of known ones, downloads, pins, the fit check.

It reads model folders through ``engine.inference.models`` and runs no model itself. ``catalogue``, ``names``,
``selection`` and ``fit`` decide and do no I/O; ``hub``, ``fetching`` and ``machine`` touch the outside; ``download``,
``keeping`` and ``folders`` put them together.
"""
