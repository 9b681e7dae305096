"""The history of the server's tables, applied by ``store.Store`` at every start. Not for use by hand."""
