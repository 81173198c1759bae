"""The interfaces over the ports, and the loop of a run."""
