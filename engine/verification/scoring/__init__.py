"""From the margins of an answer's tokens to a verdict. Pure; results are whole numbers.

``calibration`` holds how often margins occur in honest answers and in those of the least visible cheat, ``score`` turns
an answer's margins into a :class:`engine.wire.challenges.Score`. The margins themselves are made by the inference
worker (``InferenceBackend.score``); no model runs here, and scores are not added up here
(``engine.verification.reputation``). docs/verification.md, "Scores".
"""
