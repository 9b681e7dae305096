"""Who answers a request: what members of a group know of each other's caches and load, and the choice among them. Pure.

Members are the model nodes that serve the same model digest. It is not how a request travels to the chosen one
(``engine.paths``, ``engine.node``).
"""
