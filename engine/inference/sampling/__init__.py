"""Canonical sampling ``gumbel-1`` and what belongs to it: penalties, candidates, log probabilities, constraints.

Pure: it never touches a runtime, a clock or a random source.
"""
