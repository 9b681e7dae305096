"""What an engine keeps on disk: the data directory and its lock, keys, tokens and small states.

It is not a database of the network (``engine.bootstrap`` has its own) and knows no protocol: others decide what is
kept, this package decides that it is written whole or not at all, readable by its owner alone.
"""
