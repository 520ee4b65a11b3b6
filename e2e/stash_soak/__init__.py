"""Load for a long time while faults strike, and what must be true at its end (make soak)."""
