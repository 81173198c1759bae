"""Retrieval: documents are read as text, cut into chunks, and found again."""
