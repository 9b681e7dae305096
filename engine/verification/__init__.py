"""Proof that contributors serve what they claim: signed receipts of answers, their checks and their files. Pure.

It makes and checks statements; it neither sends them (``engine.paths``), nor stores them (``engine.storage``), nor
runs a model. A receipt proves who answered and what was signed; whether the claimed model really made the tokens is a
question that only a second computation with that model can answer.
"""
