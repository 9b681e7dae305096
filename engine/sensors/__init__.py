"""What this machine can say of itself, for the governor: one sensor a module, those of each system behind one face."""
