"""Many epochs of verification in one process: nodes that cheat and nodes that do not, judged as blocks judge them.

The duties, the scores and the rules of reputation are those of production. What is not computed again are answers: they
are drawn from recorded ones (``recorded``), in whose place nobody could invent numbers that favour the rule.
"""
