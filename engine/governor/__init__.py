"""When this machine contributes and when it gives itself back to its owner: pure rules over readings of sensors."""
