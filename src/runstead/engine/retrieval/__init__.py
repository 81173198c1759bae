"""Retrieval in the engine: its parts, the stored texts of files, and the search in several vector stores."""
