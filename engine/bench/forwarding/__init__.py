"""``gentorrent bench forwarding``: the forwarding policies on real model nodes, beside what the simulator says.

``setting`` and ``workload`` say what is asked (pure), ``quotas`` gives every node its share of a processor, ``fleet``
runs the network, ``calibration`` measures a node, ``player`` asks, ``outcomes`` counts, ``course`` puts it together,
``report`` writes it down. No part of the nodes runs in the measuring process.
"""
