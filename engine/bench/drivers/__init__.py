"""One program for each engine that is measured: commands as JSON lines in, times out, nothing else in its process.

They import their engine only when they run, each in the environment that has it, and share nothing but ``protocol``.
"""
