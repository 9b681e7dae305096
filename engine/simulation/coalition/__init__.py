"""Relays that conspire to stand on both ends of other people's paths: :mod:`attempts` says how, :mod:`placement` and
:mod:`network` give them their places, :mod:`client` draws paths among them as clients do, :mod:`run` counts.

Graph, admissions, drawing, path sets and guard lists are the classes that nodes and servers run. Circuits
do not exist here: a path opens, or one of its relays refuses.
"""
