"""Answers while relays die: long runs, simulated and on real links."""
