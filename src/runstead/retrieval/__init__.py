"""Documents as searchable passages: parsing, chunks, embeddings and the index."""
