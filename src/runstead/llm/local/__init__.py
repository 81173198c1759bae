"""The embedded model: a small one, in this process, so that everything can be tried without a model server."""
