"""How well cheats are told from honest noise: their making, their measuring, the figures.

``rounding`` and ``remade_models`` make the models of cheats, ``conditions`` and ``measuring`` let real workers answer
and judge, ``calibrating`` makes calibrations of what was recorded, ``telling_apart`` computes how well they separate.
``course`` is ``gentorrent bench verification``: ``served`` (what adversaries answer), ``rules_compared`` (with the
published rule), ``hostile`` (what they forge), ``liars`` (who makes no text and lies), ``protection`` (what security
costs) with ``security_shares``, ``page`` with ``others_page``.
Nothing here judges a real node: that is ``engine.verification``.
"""
