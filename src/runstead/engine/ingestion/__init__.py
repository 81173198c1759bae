"""The ingestion of files, and of all files once more: what needs the adapters of the engine."""
