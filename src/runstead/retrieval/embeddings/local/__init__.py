"""The embedded embedding model, in child processes."""
