"""The network doctor: looks at how this machine is connected and says what to change. It changes nothing itself.

``examine`` collects facts, ``findings`` says what they mean; a running engine is asked for its state and not disturbed.
"""
