"""Thousands of relays that find their links by themselves: :mod:`server` lists them, :mod:`world` moves them through
simulated time, :mod:`run` does to them what the real world does, :mod:`coalition` is hostile among them.

Links are pairs that are up or not; nothing is sent over them. Graph, admissions, plan of dials, refusals, drawing of
guards and paths are the classes that nodes and servers run."""
