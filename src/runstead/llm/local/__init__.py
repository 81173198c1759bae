"""The embedded model: a small model in this process, for trials without a model server."""
