"""When this machine contributes and when it gives itself back to its owner: pure rules over readings of sensors.

It is not what reads the sensors (``engine.sensors``), nor what loads models and lets them go (``engine.node``).
"""
