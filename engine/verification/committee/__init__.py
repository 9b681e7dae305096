"""The committee's agreement on one block after another: Tendermint's algorithm without I/O. Pure.

What makes a block valid is not here but in ``engine.verification.chain``.
"""
