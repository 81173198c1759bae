"""Files become searchable: ingestion, stored texts, search in several stores at once."""
