"""Answers of models that verifiers cannot hold: nodes that serve the model score them, blind, and the majority counts.

``transcript``: what they are asked and what they sign. ``draw``: who they are. ``majority``: which score follows.
Nothing is asked or computed here.
"""
