"""What runs in the worker process: commands in, one computing thread, events out. No keys, no sockets."""
