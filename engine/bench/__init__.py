"""Speed of this engine and of its peers, measured on the same work in one run, and the model files for it.

``making`` and ``drivers`` run in other processes, most of them in an environment of their own (``make bench-setup``).
Nothing here is used while answers are made.
"""
