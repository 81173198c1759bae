"""Any server with an embeddings API."""
