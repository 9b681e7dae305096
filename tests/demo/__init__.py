"""The long test of the demo: every way of cheating, several times."""
