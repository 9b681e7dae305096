"""The committee's agreement on one block after another: Tendermint's algorithm without I/O. Pure."""
