"""Which sequences run, what each step feeds, which cache blocks live: numbers and lists. Pure; no tensors, no text."""
