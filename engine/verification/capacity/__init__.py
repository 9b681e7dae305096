"""How fast a node reads, as its clients see it, beside what it claims; all nodes of a group are asked at one moment.

``draw``: who is asked when. ``measuring``: what one question tells. ``agreeing``: what the committee makes of many.
Pure, and never asks itself: ``engine.node.capacity_role`` does, ``gentorrent simulate capacity`` plays it.
"""
