"""What this machine can say of itself, for the governor: one sensor a function, those of each system behind one face.

It is not what is made of it (``engine.governor``).
"""
