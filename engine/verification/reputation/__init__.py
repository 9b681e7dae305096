"""Rules of reputation: what a node's judged answers make of its standing. Pure, and in whole numbers alone.

Everybody computes the same standings from the same blocks, so no rule uses fractions of binary machines. ``page`` is
the rule of the network; ``published`` is the one of the paper, for comparison. They score no answers. Both have the
interface of :class:`engine.verification.reputation.rule.Rule`.
"""
