"""The ingestion of a file, and the reindexing of all files, over the adapters of the engine."""
