"""`make test-long-verification`."""
