"""Whole networks computed in one process, in simulated time, with the classes that real nodes run. Opens no sockets."""
