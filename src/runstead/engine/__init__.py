"""The interfaces over the adapters, and the loop of a run."""
