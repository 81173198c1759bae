"""Texts as vectors: an embedded model in child processes, or a server with an embeddings API."""
