"""Pauses at random moments: how long the machine that answers takes to give its memory back (``long_run``)."""
