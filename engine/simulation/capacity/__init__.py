"""Claims of speed, and what simultaneous long questions make of them, in simulated time. No network, no model."""
