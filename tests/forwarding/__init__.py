"""The long test of forwarding."""
